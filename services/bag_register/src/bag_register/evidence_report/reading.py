"""What a report tells, read in pages: a slow reader holds no transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, select

from common.ledger.engine import transaction
from common.ledger.evidence import checkpoints, exporting, sealing
from common.ledger.evidence.checkpoints import Checkpoint
from common.ledger.evidence.exporting import ProvenCopy, Scope
from common.ledger.evidence.sealing import Head
from common.ledger.proofs import Proof

_COPIES, _FILES, _CHECKS = 200, 1000, 50
Place = Callable[[str], Mapping[str, str]]
"""What the configuration knows of a location beyond the ledger: account, storageClass."""


@dataclass(frozen=True, slots=True)
class Front:
    """What the report begins with."""

    scope: Scope
    at: datetime
    head: Head
    checkpoint: Checkpoint | None
    counts: list[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy, with its files to be read once."""

    facts: ProvenCopy
    place: Mapping[str, str]
    checks: list[Mapping[str, Any]]
    files: Iterator[Proof]


@dataclass(frozen=True, slots=True)
class Report:
    """A front, and the copies to be read once."""

    front: Front
    copies: Iterator[Copy]


def read(engine: Engine, scope: Scope, *, place: Place) -> Report | None:
    """None where no copy of the scope is registered."""
    with transaction(engine) as connection:
        counts = exporting.counts(connection, scope)
        at = connection.execute(select(func.clock_timestamp())).scalar_one()
        front = Front(scope, at, sealing.head(connection), checkpoints.latest(connection), counts)
    return Report(front, _copies(engine, scope, place)) if counts else None


def _copies(engine: Engine, scope: Scope, place: Place) -> Iterator[Copy]:
    after: tuple[int, str] | None = None
    while True:
        with transaction(engine) as connection:
            page = exporting.copies(connection, scope, after=after, limit=_COPIES)
        for facts in page:
            with transaction(engine) as connection:
                checks = list(exporting.checks(connection, facts, limit=_CHECKS))
            yield Copy(facts, place(facts.location_id), checks, _files(engine, facts))
        if len(page) < _COPIES:
            return
        after = page[-1].bag_version_id, page[-1].location_id


def _files(engine: Engine, copy: ProvenCopy) -> Iterator[Proof]:
    after: str | None = None
    while True:
        with transaction(engine) as connection:
            page = exporting.proofs(connection, copy, after=after, limit=_FILES)
        yield from page
        if len(page) < _FILES:
            return
        after = page[-1].key
