"""The histories of all ingests and campaigns as one stream of news, in the order of their ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Connection, Integer, Select, Table, bindparam, func, select

from common.domain.bag import BagVersion
from common.domain.ingest import IngestStatus
from common.ledger.campaigns.tables import campaign_events, campaigns
from common.ledger.frontier import Frontier, writers
from common.ledger.tables import ingest_events, ingests

WINDOW = 5000
"""Ids that one statement looks through at most when it looks back: what it costs does not depend on the ledger."""
PAGE = 200
"""News that one look back finds at most: they wait in memory for their listener."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """How far a reader has come in each history."""

    ingests: int
    campaigns: int


@dataclass(frozen=True, slots=True)
class IngestNews:
    """A sentence of an ingest's history, with what the ingest is about."""

    id: int
    ingest_id: UUID
    campaign_id: UUID | None
    bag: BagVersion
    destination: str
    status: IngestStatus
    """As it is now: later than the sentence."""
    description: str
    detail: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CampaignNews:
    """A sentence of a campaign's history."""

    id: int
    campaign_id: UUID
    description: str
    actor: str
    created_at: datetime


News = IngestNews | CampaignNews


@dataclass(frozen=True, slots=True)
class Topic:
    """What somebody listens to: one ingest, one campaign, or, with neither, everything."""

    ingest: UUID | None = None
    campaign: UUID | None = None


class Reader:
    """Reads news as they become certain. Begin before anything is to be heard, then look again and again."""

    def __init__(self, connection: Connection) -> None:
        self._frontiers = {
            table: Frontier(seen=_highest(connection, table)) for table in (ingest_events, campaign_events)
        }

    @property
    def at(self) -> Position | None:
        """Everything up to here has been told or was there before; None: that is not certain yet."""
        ingests_at, campaigns_at = (frontier.at for frontier in self._frontiers.values())
        return None if ingests_at is None or campaigns_at is None else Position(ingests_at, campaigns_at)

    @property
    def doubtful(self) -> bool:
        """Whether it pays to look again at once."""
        return any(frontier.doubtful for frontier in self._frontiers.values())

    def look(self, connection: Connection, *, limit: int) -> list[News]:
        """What has become certain since, at most `limit` of each history, by date and in the order of each.

        `connection`: one whose statements each see what was committed before them.
        """
        # Everything is read before anything counts as told: a reader whose connection breaks has lost nothing.
        seen = [
            (self._frontiers[table], *self._read(connection, table, read, limit))
            for table, read in ((ingest_events, _ingest_news), (campaign_events, _campaign_news))
        ]
        for frontier, writing, rows in seen:
            frontier.advance(writing=writing, ids=[row.id for row in rows])
        told = [[row for row in rows if row.id <= (frontier.at or 0)] for frontier, _, rows in seen]
        return _by_date(*told)

    def _read(
        self, connection: Connection, table: Table, read: Callable[..., Sequence[News]], limit: int
    ) -> tuple[frozenset[str], Sequence[News]]:
        frontier = self._frontiers[table]
        writing = writers(connection, table) if frontier.doubtful else frozenset()
        return writing, [] if frontier.at is None else read(connection, after=frontier.at, limit=limit)


def placed(told: Iterable[News], at: Position) -> Iterator[tuple[News, Position]]:
    """Each with the place of a listener who has heard it, having been at `at` before."""
    for news in told:
        at = replace(at, **{"ingests" if isinstance(news, IngestNews) else "campaigns": news.id})
        yield news, at


def past(connection: Connection, *, topic: Topic, after: Position, upto: Position) -> tuple[list[News], Position]:
    """News of the topic behind `after` and up to `upto`, and how far they go: not always all the way."""
    stop = upto.ingests if topic.ingest else min(upto.ingests, after.ingests + WINDOW)
    of_ingests = _ingest_news(connection, after=after.ingests, upto=stop, topic=topic, limit=PAGE)
    if len(of_ingests) == PAGE:
        stop = of_ingests[-1].id
    if topic.ingest is not None:
        return list(of_ingests), Position(stop, upto.campaigns)
    last = min(upto.campaigns, after.campaigns + WINDOW)
    of_campaigns = _campaign_news(connection, after=after.campaigns, upto=last, topic=topic, limit=PAGE)
    if len(of_campaigns) == PAGE:
        last = of_campaigns[-1].id
    return _by_date(of_ingests, of_campaigns), Position(stop, last)


def last_words(connection: Connection, *, ingest_id: UUID, after: Position) -> list[News]:
    """What an ingest that has finished has to say beyond `after`."""
    return list(_ingest_news(connection, after=after.ingests, topic=Topic(ingest=ingest_id), limit=WINDOW))


def status_of(connection: Connection, ingest_id: UUID) -> IngestStatus | None:
    found = connection.execute(select(ingests.c.status).where(ingests.c.id == ingest_id)).scalar()
    return None if found is None else IngestStatus(found)


def campaign_exists(connection: Connection, campaign_id: UUID) -> bool:
    return connection.execute(select(campaigns.c.id).where(campaigns.c.id == campaign_id)).first() is not None


_LAST = 2**63 - 1


def _by_date(*told: Sequence[News]) -> list[News]:
    """Each history keeps its order."""
    return list(merge(*told, key=lambda news: news.created_at))


def _highest(connection: Connection, table: Any) -> int:
    return connection.execute(select(func.max(table.c.id))).scalar() or 0


def _ingest_news(
    connection: Connection, *, after: int, upto: int = _LAST, topic: Topic = Topic(), limit: int
) -> list[IngestNews]:
    rows = connection.execute(
        _INGESTS[topic.ingest is not None, topic.campaign is not None],
        {"after": after, "upto": upto, "most": limit, "ingest": topic.ingest, "campaign": topic.campaign},
    )
    return [
        IngestNews(
            id=row.id,
            ingest_id=row.ingest_id,
            campaign_id=row.campaign_id,
            bag=BagVersion.of(row.space, row.external_identifier, row.version),
            destination=row.destination_id,
            status=IngestStatus(row.status),
            description=row.description,
            detail=row.detail,
            created_at=row.created_at,
        )
        for row in rows
    ]


def _campaign_news(
    connection: Connection, *, after: int, upto: int = _LAST, topic: Topic = Topic(), limit: int
) -> list[CampaignNews]:
    asked = {"after": after, "upto": upto, "most": limit, "campaign": topic.campaign}
    rows = connection.execute(_CAMPAIGNS[topic.campaign is not None], asked)
    return [CampaignNews(row.id, row.campaign_id, row.description, row.actor, row.created_at) for row in rows]


def _between(table: Any, asked: Select[Any]) -> Select[Any]:
    """Statements are made once: making one costs more than running it."""
    after, upto = bindparam("after", type_=BigInteger()), bindparam("upto", type_=BigInteger())
    within = asked.where(table.c.id > after, table.c.id <= upto)
    return within.order_by(table.c.id).limit(bindparam("most", type_=Integer()))


def _ingests(*, one: bool, campaign: bool) -> Select[Any]:
    about = ("space", "external_identifier", "version", "destination_id", "status", "campaign_id")
    asked = select(ingest_events, *(ingests.c[name] for name in about)).join(ingests)
    if one:
        asked = asked.where(ingest_events.c.ingest_id == bindparam("ingest"))
    if campaign:
        asked = asked.where(ingests.c.campaign_id == bindparam("campaign"))
    return _between(ingest_events, asked)


def _of_campaigns(*, one: bool) -> Select[Any]:
    asked = select(campaign_events)
    if one:
        asked = asked.where(campaign_events.c.campaign_id == bindparam("campaign"))
    return _between(campaign_events, asked)


_INGESTS = {
    (one, campaign): _ingests(one=one, campaign=campaign)
    for one, campaign in ((False, False), (True, False), (False, True))
}
_CAMPAIGNS = {one: _of_campaigns(one=one) for one in (False, True)}
