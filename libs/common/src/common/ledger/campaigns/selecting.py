"""Which bag versions a campaign is about: counted before anything is created, then written down batch by batch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Text,
    cast,
    exists,
    func,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql.selectable import Select

from common.domain.bag import BagVersion
from common.domain.campaign import CampaignState, Order
from common.domain.replica import ReplicaState
from common.ledger.campaigns.tables import campaign_items, campaigns
from common.ledger.tables import NOW, bag_locations, bag_versions, replicas

_EXAMPLES = 10
BATCH = 20_000
"""Bag versions written down in one transaction."""


@dataclass(frozen=True, slots=True)
class Selection:
    """All bag versions that the destination lacks and that meet every condition given."""

    space: str | None = None
    deposited_after: datetime | None = None
    deposited_before: datetime | None = None
    largest: int | None = None
    """Bytes; larger bag versions are left out."""
    most: int | None = None
    """At most so many bag versions, the first ones in the campaign's order."""
    failed_of: UUID | None = None
    """Only those whose ingests failed in this earlier campaign."""
    untried: bool = False
    """Leave out those whose last attempt failed: they wait for somebody to find out why."""
    listed: bool = False
    """Only those that were listed one by one when the campaign was created; they are written down already."""

    def to_json(self) -> dict[str, Any]:
        facts = {
            "space": self.space,
            "depositedAfter": self.deposited_after and self.deposited_after.isoformat(),
            "depositedBefore": self.deposited_before and self.deposited_before.isoformat(),
            "largestBytes": self.largest,
            "most": self.most,
            "failedOf": self.failed_of and str(self.failed_of),
            "untried": self.untried or None,
            "listed": self.listed or None,
        }
        return {name: value for name, value in facts.items() if value is not None}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Selection:
        after, before, failed_of = (facts.get(name) for name in ("depositedAfter", "depositedBefore", "failedOf"))
        return cls(
            space=facts.get("space"),
            deposited_after=datetime.fromisoformat(after) if after else None,
            deposited_before=datetime.fromisoformat(before) if before else None,
            largest=facts.get("largestBytes"),
            most=facts.get("most"),
            failed_of=UUID(failed_of) if failed_of else None,
            untried=facts.get("untried", False),
            listed=facts.get("listed", False),
        )


@dataclass(frozen=True, slots=True)
class Selected:
    """What a selection comes to at this moment."""

    bags: int
    files: int
    bytes: int
    examples: tuple[BagVersion, ...]
    """The first ones in the campaign's order."""


_SORT: dict[Order, ColumnElement[Any]] = {
    Order.OLDEST: (func.extract("epoch", bag_versions.c.created_date) * 1_000_000).cast(campaign_items.c.sort_key.type),
    Order.SMALLEST: bag_versions.c.bytes,
    Order.REGISTERED: bag_versions.c.id,
}


def preview(connection: Connection, *, selection: Selection, destination_id: str, order: Order) -> Selected:
    """Count what would be selected, without writing anything."""
    return _counted(connection, matching(selection, destination_id), order, most=selection.most)


def preview_listed(connection: Connection, *, ids: list[int], order: Order) -> Selected:
    """The same for listed bag versions; those that the destination has already count too, and become no-ops."""
    return _counted(connection, of_ids(ids), order, most=None)


def _counted(connection: Connection, query: Select[Any], order: Order, *, most: int | None) -> Selected:
    ordered = query.order_by(_SORT[order], bag_versions.c.id)
    chosen = (query if most is None else ordered.limit(most)).subquery()
    totals = connection.execute(
        select(
            func.count().label("bags"),
            func.coalesce(func.sum(chosen.c.file_count), 0).label("files"),
            func.coalesce(func.sum(chosen.c.bytes), 0).label("bytes"),
        ).select_from(chosen)
    ).one()
    first = connection.execute(ordered.limit(_EXAMPLES if most is None else min(_EXAMPLES, most)))
    examples = tuple(BagVersion.of(row.space, row.external_identifier, row.version) for row in first)
    return Selected(totals.bags, int(totals.files), int(totals.bytes), examples)


def of_ids(ids: list[int]) -> Select[Any]:
    """These bag versions."""
    return select(bag_versions).where(bag_versions.c.id.in_(select(func.unnest(cast(ids, ARRAY(BigInteger))))))


def matching(selection: Selection, destination_id: str) -> Select[Any]:
    """Every bag version that the destination lacks and that the selection is about, however many it takes."""
    there = exists().where(
        bag_locations.c.bag_version_id == bag_versions.c.id, bag_locations.c.location_id == destination_id
    )
    query = select(bag_versions).where(~there)
    if selection.space is not None:
        query = query.where(bag_versions.c.space == selection.space)
    if selection.deposited_after is not None:
        query = query.where(bag_versions.c.created_date >= selection.deposited_after)
    if selection.deposited_before is not None:
        query = query.where(bag_versions.c.created_date < selection.deposited_before)
    if selection.largest is not None:
        query = query.where(bag_versions.c.bytes <= selection.largest)
    if selection.untried:
        query = query.where(~failed_at(destination_id))
    if selection.failed_of is not None:
        query = query.where(
            exists().where(
                campaign_items.c.campaign_id == selection.failed_of,
                campaign_items.c.bag_version_id == bag_versions.c.id,
                campaign_items.c.outcome == "failed",
            )
        )
    return query


def failed_at(destination_id: str) -> ColumnElement[bool]:
    """Whether the last attempt to copy a bag version there failed."""
    return exists().where(
        replicas.c.bag_version_id == bag_versions.c.id,
        replicas.c.location_id == destination_id,
        replicas.c.state == ReplicaState.FAILED.value,
    )


def limited(query: Select[Any], selection: Selection, order: Order) -> Select[Any]:
    """As many of them as the selection takes, the first ones in the order."""
    if selection.most is None:
        return query
    return query.order_by(_SORT[order], bag_versions.c.id).limit(selection.most)


@dataclass(frozen=True, slots=True)
class Found:
    """What a list of bag versions comes to."""

    ids: tuple[int, ...]
    unknown: tuple[str, ...]
    """As they were given: "space/identifier/v2", or "space/identifier" where any version would have done."""


def look_up(connection: Connection, *, names: list[tuple[str, str, int | None]]) -> Found:
    """The ids of listed bag versions; without a version, every version of the bag. Set by set, not one by one."""
    ids: dict[int, None] = {}
    unknown: list[str] = []
    for start in range(0, len(names), BATCH):
        part = names[start : start + BATCH]
        known = _known(connection, part)
        for space, identifier, version in part:
            found = known.get((space, identifier), {})
            matches = list(found.values()) if version is None else [found[version]] if version in found else []
            if not matches:
                unknown.append(f"{space}/{identifier}" + (f"/v{version}" if version is not None else ""))
            ids.update(dict.fromkeys(matches))
    return Found(tuple(ids), tuple(unknown))


def _known(connection: Connection, names: list[tuple[str, str, int | None]]) -> dict[tuple[str, str], dict[int, int]]:
    bags = list({(space, identifier) for space, identifier, _ in names})
    wanted = select(
        func.unnest(cast([space for space, _ in bags], ARRAY(Text))).label("space"),
        func.unnest(cast([identifier for _, identifier in bags], ARRAY(Text))).label("external_identifier"),
    ).subquery()
    rows = connection.execute(
        select(
            bag_versions.c.id, bag_versions.c.space, bag_versions.c.external_identifier, bag_versions.c.version
        ).join(
            wanted,
            tuple_(wanted.c.space, wanted.c.external_identifier)
            == tuple_(bag_versions.c.space, bag_versions.c.external_identifier),
        )
    )
    known: dict[tuple[str, str], dict[int, int]] = {}
    for row in rows:
        known.setdefault((row.space, row.external_identifier), {})[row.version] = row.id
    return known


def write_listed(connection: Connection, *, campaign_id: UUID, ids: list[int], order: Order) -> None:
    """Write down the bag versions of a campaign that lists them."""
    for start in range(0, len(ids), BATCH):
        _write(connection, campaign_id, order, of_ids(ids[start : start + BATCH]))


def select_batch(connection: Connection, campaign: Any) -> bool:
    """Write down the next bag versions; True when there are no more. The campaign's row is locked by the caller."""
    selection = Selection.from_json(campaign.selection)
    order = Order(campaign.ordering)
    if selection.listed:
        return True
    query = matching(selection, campaign.destination_id)
    if selection.most is not None:
        _write(connection, campaign.id, order, limited(query, selection, order))
        return True
    part = query.where(bag_versions.c.id > campaign.cursor).order_by(bag_versions.c.id).limit(BATCH)
    last = connection.execute(select(func.max(part.subquery().c.id))).scalar_one()
    if last is None:
        return True
    _write(connection, campaign.id, order, part)
    connection.execute(update(campaigns).where(campaigns.c.id == campaign.id).values(cursor=last))
    return False


def _write(connection: Connection, campaign_id: UUID, order: Order, chosen: Select[Any]) -> None:
    row = chosen.with_only_columns(
        literal(campaign_id), bag_versions.c.id, _SORT[order], bag_versions.c.file_count, bag_versions.c.bytes
    )
    columns = ["campaign_id", "bag_version_id", "sort_key", "files", "bytes"]
    connection.execute(upsert(campaign_items).from_select(columns, row).on_conflict_do_nothing())


def finish_selecting(connection: Connection, campaign: Any) -> tuple[CampaignState, int, int]:
    """Hold what was selected against what the request expected, and move the campaign on.

    The new state, and how many bag versions and bytes were selected.
    """
    totals = connection.execute(
        select(
            func.count().label("bags"),
            func.coalesce(func.sum(campaign_items.c.files), 0).label("files"),
            func.coalesce(func.sum(campaign_items.c.bytes), 0).label("bytes"),
        ).where(campaign_items.c.campaign_id == campaign.id)
    ).one()
    expected = campaign.expected_count
    unexpected = expected is not None and expected != totals.bags
    state = CampaignState.REFUSED if unexpected else CampaignState.CREATING
    connection.execute(
        update(campaigns)
        .where(campaigns.c.id == campaign.id)
        .values(
            state=state.value,
            bags=totals.bags,
            files=totals.files,
            bytes=totals.bytes,
            finished_at=NOW if unexpected else None,
            reason=f"{totals.bags} bag versions were selected, {expected} were expected" if unexpected else None,
        )
    )
    return state, totals.bags, int(totals.bytes)
