"""A trail of what changes in the ledger, kept by triggers of the checker's own: who changed which state, from what.

The worker that commits is known by its connection's application_name, which is the name that its claims carry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from invariants.ports import Connection

_INSTALL = """
CREATE SCHEMA audit;
CREATE TABLE audit.trail (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT clock_timestamp(), actor text NOT NULL, action text NOT NULL, kind text NOT NULL,
    row_id text NOT NULL, ingest_id text, was text, now_is text, was_fence bigint, fence bigint,
    was_holder text, holder text, held boolean
);
CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE was jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) ELSE '{}' END;
        now_is jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) ELSE '{}' END;
        known jsonb := was || now_is;
BEGIN
    INSERT INTO audit.trail
        (actor, action, kind, row_id, ingest_id, was, now_is, was_fence, fence, was_holder, holder, held)
    VALUES (current_setting('application_name'), TG_OP, TG_TABLE_NAME,
        coalesce(known->>'id', known->>'bag_version_id'),
        CASE WHEN TG_TABLE_NAME = 'ingests' THEN known->>'id' ELSE known->>'ingest_id' END,
        coalesce(was->>'status', was->>'state'), coalesce(now_is->>'status', now_is->>'state'),
        (was->>'fence')::bigint, (now_is->>'fence')::bigint, was->>'claimed_by', now_is->>'claimed_by',
        (was->>'lease_until')::timestamptz >= clock_timestamp());
    RETURN NULL;
END $$;
CREATE TRIGGER zz_trail AFTER UPDATE ON replicas FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state OR OLD.fence <> NEW.fence) EXECUTE FUNCTION audit.note();
CREATE TRIGGER zz_trail AFTER UPDATE ON segments FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state OR OLD.fence <> NEW.fence) EXECUTE FUNCTION audit.note();
CREATE TRIGGER zz_trail AFTER UPDATE ON ingests FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION audit.note();
CREATE TRIGGER zz_trail AFTER INSERT OR UPDATE OR DELETE ON bag_locations FOR EACH ROW EXECUTE FUNCTION audit.note();
CREATE TRIGGER zz_trail AFTER UPDATE OR DELETE ON ingest_events FOR EACH ROW EXECUTE FUNCTION audit.note();
CREATE TRIGGER zz_trail AFTER UPDATE OR DELETE ON evidence FOR EACH ROW EXECUTE FUNCTION audit.note();
CREATE TRIGGER zz_trail_deleted AFTER DELETE ON ingests FOR EACH ROW EXECUTE FUNCTION audit.note();
"""


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the trail."""

    id: int
    actor: str
    action: str
    kind: str
    row_id: str
    ingest_id: str | None
    was: str | None
    now_is: str | None
    was_fence: int | None
    fence: int | None
    was_holder: str | None
    holder: str | None
    held: bool | None
    """Whether somebody's lease on the row had not run out yet."""


def install(connection: Connection) -> None:
    """Keep the trail from now on. Once for each database; the caller commits."""
    connection.execute(_INSTALL)


def changes(connection: Connection, *, after: int) -> list[Change]:
    """What changed since, oldest first; empty where no trail is kept."""
    if not _kept(connection):
        return []
    rows: list[Any] = connection.execute(
        "SELECT id, actor, action, kind, row_id, ingest_id, was, now_is, was_fence, fence, was_holder, holder, held"
        " FROM audit.trail WHERE id > %s ORDER BY id",
        (after,),
    ).fetchall()
    return [Change(*row) for row in rows]


def _kept(connection: Connection) -> bool:
    return bool(connection.execute("SELECT to_regclass('audit.trail') IS NOT NULL").fetchone()[0])
