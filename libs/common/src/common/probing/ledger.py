"""Questions to the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from common.domain.location import Location
from common.errors import BackfillError, LedgerUnavailable
from common.ledger import fitness
from common.ledger.engine import transaction
from common.ledger.locations import announce
from common.probing.findings import Finding, Verdict, asked, clocks


def ledger(engine: Engine, *, locations: Iterable[Location], now: Callable[[], datetime]) -> Iterator[Finding]:
    """Schema, rights, clock, and whether the ledger knows the locations as the configuration does."""
    try:
        with transaction(engine) as connection:
            standing = fitness.standing(connection)
            time = clocks("ledger: clock", whose="PostgreSQL", theirs=standing.time, ours=now())
    except LedgerUnavailable as error:
        yield Finding("ledger", Verdict.FAILED, str(error), f"{error.remedy} Its address is BACKFILL_DATABASE_URL.")
        return
    yield _schema(standing)
    yield time
    if standing.revision is not None:
        yield _rights(standing)
        yield from (_known(engine, location) for location in locations)


def _schema(standing: fitness.Standing) -> Finding:
    name = "ledger: schema"
    if standing.revision == standing.newest:
        return Finding(name, Verdict.OK, f"revision {standing.revision}")
    if standing.ahead:
        told = f"revision {standing.revision} is newer than this release ({standing.newest})"
        return Finding(name, Verdict.WARNING, told, "Upgrade this service too.")
    told = f"revision {standing.revision or 'none'}, this release brings {standing.newest}"
    if standing.may_change:
        return Finding(name, Verdict.OK, f"{told}: the service migrates it when it starts")
    return Finding(name, Verdict.FAILED, told, "Let this role CREATE in the schema, or migrate as a role that may.")


def _rights(standing: fitness.Standing) -> Finding:
    if not standing.denied:
        return Finding("ledger: rights", Verdict.OK, "")
    tables = ", ".join(standing.denied)
    remedy = f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {standing.role};"
    return Finding("ledger: rights", Verdict.FAILED, f"role {standing.role} may not use {tables}", remedy)


def _known(engine: Engine, location: Location) -> Finding:
    """Whether the ledger would take the location; nothing is written."""
    name = f"{location.id}: known"

    def question() -> Finding:
        try:
            with transaction(engine) as connection:
                announce(connection, location)
                raise _Enough
        except _Enough:
            return Finding(name, Verdict.OK, "the ledger means the same place by this id")

    return asked(name, question)


class _Enough(BackfillError):
    """Rolls the transaction back."""


def known_object(engine: Engine, location: Location) -> str | None:
    """The key of an object that every bag has, of some bag that is registered there; None where none is known."""
    try:
        with transaction(engine) as connection:
            bag = fitness.a_bag_at(connection, location_id=location.id.value)
    except (LedgerUnavailable, DBAPIError):  # told by the ledger's own probes
        return None
    return None if bag is None else f"{location.root(bag)}bagit.txt"
