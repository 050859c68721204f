"""Who may call, and what people did."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

_CLIENTS = """
CREATE FUNCTION keep_client() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'revoked_at' - 'last_used_at' IS DISTINCT FROM to_jsonb(OLD) - 'revoked_at' - 'last_used_at' THEN
        RAISE EXCEPTION '% % keeps what it is: revoke it and make another', OLD.kind, OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
        RAISE EXCEPTION '% % is revoked and stays so', OLD.kind, OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""


def _guard(name: str, table: str, when: str, function: str) -> str:
    return f"CREATE TRIGGER {name} BEFORE {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}"


GUARDS = (
    _CLIENTS,
    _guard("clients_keep", "clients", "UPDATE", "keep_client()"),
    _guard("clients_stay", "clients", "DELETE", "refuse_change()"),
    _guard("signing_keys_keep", "signing_keys", "UPDATE", "refuse_change()"),
    _guard("actions_only_grow", "actions", "UPDATE OR DELETE", "refuse_change()"),
)


def upgrade() -> None:
    op.create_table(
        "clients",
        sa.Column("id", sa.Text(), nullable=False, comment="public: goes into logs and actions"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.Text(), nullable=False, comment="of 256 random bits, so no slow hash is needed"),
        sa.Column("permissions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('client', 'key')", name=op.f("ck_clients_kind_is_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clients")),
    )
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.Text(), nullable=False, comment="the key's RFC 7638 thumbprint"),
        sa.Column("private_key", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_keys")),
    )
    op.create_table(
        "actions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("who", sa.Text(), nullable=False, comment="a caller's id"),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="what it was done to, such as ingest:<id>"),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "detail", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actions")),
    )
    op.create_index("ix_actions_subject", "actions", ["subject", "id"])
    for statement in GUARDS:
        op.execute(statement)
