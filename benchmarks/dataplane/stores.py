"""How clients reach the two ends, written to a file for each run and read by the client's process."""

from __future__ import annotations

from ast import literal_eval
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Store(NamedTuple):
    """A bucket or container on loopback; the credentials are of servers that live as long as a benchmark."""

    kind: str
    """"s3" or "azure"."""
    endpoint: str
    bucket: str
    account: str
    """Access key id, or account name."""
    secret: str


class Task(NamedTuple):
    """One run of one client. Written as Python writes it: reading JSON takes longer to import than to do."""

    source: Store
    destination: Store
    prefix: str
    """Of every key; the workload's name, which is the space of its bags, and a slash."""
    items: str
    """Path of the workload's items."""
    manifest: str
    concurrency: int

    def write(self, path: Path) -> None:
        facts = {**self._asdict(), "source": self.source._asdict(), "destination": self.destination._asdict()}
        path.write_text(repr(facts), "utf-8")

    @classmethod
    def read(cls, path: str) -> Task:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib takes longer to import
            facts = literal_eval(file.read())
        facts["source"], facts["destination"] = Store(**facts["source"]), Store(**facts["destination"])
        return cls(**facts)
