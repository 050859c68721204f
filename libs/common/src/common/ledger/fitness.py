"""Whether this role can work with this ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select, text

from common.domain.bag import BagVersion
from common.ledger import migrations
from common.ledger.tables import bag_locations, bag_versions, metadata

_DENIED = text("""
    SELECT name FROM unnest(CAST(:names AS text[])) AS name
    WHERE to_regclass(quote_ident(name)) IS NOT NULL
      AND NOT (SELECT bool_and(has_table_privilege(to_regclass(quote_ident(name)), wanted))
               FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS wanted)
    ORDER BY name
""")
_SELF = text(
    "SELECT current_user AS role, clock_timestamp() AS time,"
    " coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_change"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a role finds."""

    role: str
    time: datetime
    """PostgreSQL's clock."""
    revision: str | None
    """Of the schema that is there; None: there is none."""
    newest: str
    """That this release brings."""
    ahead: bool
    """Whether the schema is one that this release does not know."""
    may_change: bool
    """Whether the role may migrate."""
    denied: tuple[str, ...]
    """Tables that it cannot read and write."""


def standing(connection: Connection) -> Standing:
    """Looks only."""
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    known = {script.revision for script in scripts.walk_revisions()}
    revision = MigrationContext.configure(connection).get_current_revision()
    me = connection.execute(_SELF).one()
    return Standing(
        role=me.role,
        time=me.time,
        revision=revision,
        newest=scripts.get_current_head() or "none",
        ahead=revision is not None and revision not in known,
        may_change=me.may_change,
        denied=tuple(connection.execute(_DENIED, {"names": sorted(metadata.tables)}).scalars()),
    )


def a_bag_at(connection: Connection, *, location_id: str) -> BagVersion | None:
    """Some bag version that is registered there; None where none is."""
    query = (
        select(bag_versions.c.space, bag_versions.c.external_identifier, bag_versions.c.version)
        .join(bag_locations, bag_locations.c.bag_version_id == bag_versions.c.id)
        .where(bag_locations.c.location_id == location_id)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else BagVersion.of(row.space, row.external_identifier, row.version)
