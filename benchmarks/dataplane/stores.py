"""How clients reach the two ends, written to a file for each run and read by the client's process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Store:
    """A bucket or container on loopback; the credentials are of servers that live as long as a benchmark."""

    kind: str
    """"s3" or "azure"."""
    endpoint: str
    bucket: str
    account: str
    """Access key id, or account name."""
    secret: str


@dataclass(frozen=True, slots=True)
class Task:
    """One run of one client."""

    source: Store
    destination: Store
    prefix: str
    """Of every key; the workload's name, which is the space of its bags, and a slash."""
    items: str
    """Path of the workload's items."""
    manifest: str
    concurrency: int

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)), "utf-8")

    @classmethod
    def read(cls, path: str) -> Task:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib takes longer to import
            facts = json.load(file)
        facts["source"], facts["destination"] = Store(**facts["source"]), Store(**facts["destination"])
        return cls(**facts)
