"""The parts of an import: ranges of keys that workers share, and bags whose tag files are frozen.

Every part is a row of its own that is claimed like all work. What a part found is its import's to tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.expression import bindparam

from common.domain.replica import ImportState
from common.jobs import Scope
from common.ledger import outbox
from common.ledger.importing import Adoption
from common.ledger.tables import imports
from common.topology import IMPORTING, TAG_THAWING, Lane, hint_for

PATHS, FREEZES = "paths", "freezes"
_OPEN = [state.value for state in ImportState if not state.terminal]
_PLACE = func.coalesce(imports.c.progress["after"].astext, "").collate("C")


def scope_of(row: Any) -> Scope:
    """What the row of an import is about."""
    return Scope(
        root_id=row.parent_id or row.id,
        until=row.until,
        paths=tuple(row.source.get(PATHS, ())),
        freezes=row.source.get(FREEZES, 0),
        registers=row.registers,
        source=row.source,
    )


def open_parts(connection: Connection, root_id: int) -> dict[str, int]:
    """How many parts of an import have not ended, by state, and how many have failed."""
    rows = connection.execute(
        select(imports.c.state, func.count())
        .where(imports.c.parent_id == root_id, imports.c.state.in_([*_OPEN, ImportState.FAILED.value]))
        .group_by(imports.c.state)
    )
    return {row[0]: row[1] for row in rows}


def split(connection: Connection, *, import_id: int, at: str, most: int) -> bool:
    """Cut a row's range behind the key `at`; what follows is another part, for whoever is free.

    False where `most` ranges of the import are open already, or the range is not what the caller believes: it ends
    before, or the walk is past it.
    """
    row = connection.execute(
        select(imports).where(imports.c.id == import_id, imports.c.state == ImportState.WALKING.value).with_for_update()
    ).one_or_none()
    if row is None or connection.execute(_ranges(row.parent_id or row.id)).scalar_one() >= most:
        return False
    cut = connection.execute(
        update(imports)
        .where(imports.c.id == import_id, at > _PLACE, or_(imports.c.until.is_(None), imports.c.until > at))
        .values(until=at)
    )
    if cut.rowcount != 1:
        return False
    _add(connection, row, state=ImportState.WALKING, until=row.until, progress={"after": at}, source=row.source)
    return True


def _ranges(root_id: int) -> Any:
    ours = or_(imports.c.id == root_id, imports.c.parent_id == root_id)
    return select(func.count()).where(ours, imports.c.state == ImportState.WALKING.value)


def freeze(connection: Connection, *, import_id: int, paths: Sequence[str], times: int) -> None:
    """Set bags apart whose tag files are frozen: a part that has them thawed, and then looks at them again."""
    row = connection.execute(select(imports).where(imports.c.id == import_id)).one()
    source = {**row.source, PATHS: list(paths), FREEZES: times}
    _add(connection, row, state=ImportState.WARMING, until=None, progress={}, source=source)


def _add(
    connection: Connection,
    row: Row[Any],
    *,
    state: ImportState,
    until: str | None,
    progress: Mapping[str, Any],
    source: Mapping[str, Any],
) -> None:
    part = connection.execute(
        insert(imports)
        .values(
            location_id=row.location_id,
            prefix=row.prefix,
            registers=row.registers,
            parent_id=row.parent_id or row.id,
            state=state.value,
            until=until,
            progress=dict(progress),
            source=dict(source),
        )
        .returning(imports.c.id)
    ).scalar_one()
    stage = TAG_THAWING if state is ImportState.WARMING else IMPORTING
    outbox.post(connection, stage=stage, lane=Lane.DAILY, hint=hint_for(stage, part))


@dataclass(frozen=True, slots=True)
class Ground:
    """What of a row's range is still to be walked."""

    after: str
    until: str | None

    def has(self, end: str) -> bool:
        return end > self.after and (self.until is None or end <= self.until)


def ground(connection: Connection, import_id: int) -> Ground | None:
    """What is left of a row, which stays locked, so that no bag is counted twice; None: nothing, it has ended.

    Two workers may walk the same row for a while: the one whose lease ran out, and its successor.
    """
    query = select(_PLACE.label("after"), imports.c.until).where(
        imports.c.id == import_id, imports.c.state == ImportState.WALKING.value
    )
    row = connection.execute(query.with_for_update()).one_or_none()
    return None if row is None else Ground(row.after, row.until)


def note(connection: Connection, *, import_id: int, after: str, adoptions: Mapping[Adoption, int]) -> None:
    """Count bags and remember that the walk has come to `after`, both at once. The place only moves forward."""
    counted = {imports.c[each.value]: imports.c[each.value] + number for each, number in adoptions.items()}
    merged = imports.c.progress.op("||")(bindparam("place", {"after": after}, type_=JSONB))
    connection.execute(
        update(imports)
        .where(imports.c.id == import_id, imports.c.state == ImportState.WALKING.value, literal(after) > _PLACE)
        .values({**counted, imports.c.progress: merged})
    )
