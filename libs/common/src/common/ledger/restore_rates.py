"""How fast restore requests may go out: one rate for an account and region, shared by all processes.

Whoever is about to ask takes turns, several at once; turns follow each other at the rate, in the order in which they
were taken. Where the store asks for less the rate is halved, once a second at most, and recovers in ten minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Double, cast, extract, func, select, update
from sqlalchemy.dialects.postgresql import insert

from common.ledger.columns import NOW
from common.ledger.upkeep_tables import restore_rates

_RECOVERY = 600
"""Seconds from nothing to the full rate."""
_SLOWEST = 1.0
"""A second; a store that is asked less than that learns nothing from it."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Some requests in a row."""

    wait: float
    """Seconds until the first of them may go."""
    rate: float
    """They follow each other at so many a second."""


def take(connection: Connection, *, account: str, ceiling: float, turns: int) -> Turns:
    """Take turns for so many requests, behind those that were taken before."""
    row = _locked(connection, account, ceiling)
    rate = recovered(row.rate, row.since, ceiling)
    _set(connection, account, next_at=_after(row.ahead + turns / rate))
    return Turns(row.ahead, rate)


def slow_down(connection: Connection, *, account: str, ceiling: float) -> float:
    """The store asks for less; returns the rate from now on. Many who hear it at once halve it once."""
    row = _locked(connection, account, ceiling)
    rate = recovered(row.rate, row.since, ceiling)
    if row.since < 1:
        return rate
    slower = max(_SLOWEST, rate / 2)
    _set(connection, account, rate=slower, lowered_at=NOW)
    return slower


def recovered(rate: float, since: float, ceiling: float) -> float:
    """What a rate is so many seconds after it was lowered."""
    return min(ceiling, rate + ceiling * since / _RECOVERY)


def _locked(connection: Connection, account: str, ceiling: float) -> Any:
    connection.execute(insert(restore_rates).values(account=account, rate=ceiling).on_conflict_do_nothing())
    return connection.execute(
        select(
            restore_rates.c.rate,
            _seconds(func.clock_timestamp() - restore_rates.c.lowered_at).label("since"),
            func.greatest(0.0, _seconds(restore_rates.c.next_at - func.clock_timestamp())).label("ahead"),
        )
        .where(restore_rates.c.account == account)
        .with_for_update()
    ).one()


def _set(connection: Connection, account: str, **values: Any) -> None:
    connection.execute(update(restore_rates).where(restore_rates.c.account == account).values(**values))


def _seconds(duration: Any) -> Any:
    return cast(extract("epoch", duration), Double)


def _after(seconds: float) -> Any:
    return func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)
