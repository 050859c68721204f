"""What all tables of the ledger are made of."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

NOW = text("clock_timestamp()")
EMPTY = text("'{}'::jsonb")


class Prose(TypeDecorator[str]):
    """Text that quotes what strangers wrote. What PostgreSQL cannot hold (NUL, half of a surrogate pair) is escaped:
    a name in a message must not keep the message from being written."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: object) -> str | None:  # noqa: ARG002
        return None if value is None else storable(value)


def storable(text: str) -> str:
    """`text` as PostgreSQL can hold it."""
    return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()


def timestamp(name: str, *, nullable: bool = False, default: bool = True) -> Column[object]:
    """A point in time, the database's now where `default` and not `nullable`."""
    server_default = NOW if default and not nullable else None
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=server_default)


def one_of(column: str, values: list[str]) -> CheckConstraint:
    """The column holds one of these values; NULL passes."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_is_known")


def claim_columns() -> list[Column[object]]:
    """A lease with a growing fence: who works on the row, until when, and when to look again."""
    return [
        Column("fence", BigInteger, nullable=False, server_default=text("0")),
        timestamp("lease_until", nullable=True),
        Column("claimed_by", Text),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        timestamp("not_before"),
        timestamp("due_at"),
        Column("progress", JSONB, nullable=False, server_default=EMPTY),
        Column("last_error", Prose),
        *_clock_columns(),
    ]


def _clock_columns() -> list[Column[object]]:
    """Since when the row is in its state, and when to look whether that is too long; triggers set them anew."""
    later = text("clock_timestamp() + interval '1 hour'")
    return [
        timestamp("entered_at"),
        Column("entered_fence", BigInteger, nullable=False, server_default=text("0")),
        Column("stalls_at", DateTime(timezone=True), nullable=False, server_default=later),
        timestamp("stalled_at", nullable=True),
    ]


def stall_indexes(table: str, by: str, *, open_rows: str) -> list[Index]:
    """For the look at rows whose time is up, and for the few that have stalled."""
    waiting = text(f"stalled_at IS NULL AND {open_rows}")
    return [
        Index(f"ix_{table}_stalls", "stalls_at", postgresql_where=waiting),
        Index(f"ix_{table}_stalled", by, postgresql_where=text("stalled_at IS NOT NULL")),
    ]
