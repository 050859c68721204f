"""Calls back with their log, news for the broker, equal answers to equal requests, urgency of replicas."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

_NOW = sa.text("clock_timestamp()")

_ASKED = """
CREATE FUNCTION owe_callback() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO callbacks (ingest_id, url, state, due_at)
    SELECT NEW.id, NEW.callback_url,
        CASE WHEN NEW.finished_at IS NULL THEN 'waiting' ELSE 'pending' END,
        CASE WHEN NEW.finished_at IS NULL THEN NULL ELSE clock_timestamp() END
    ON CONFLICT (ingest_id, url) DO NOTHING;
    RETURN NULL;
END $$
"""

_FINISHED = """
CREATE FUNCTION tell_of_ingest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE callbacks SET state = 'pending', due_at = clock_timestamp()
        WHERE ingest_id = NEW.id AND state = 'waiting';
    INSERT INTO announcements (type, subject) VALUES ('ingest.finished', NEW.id::text);
    RETURN NULL;
END $$
"""

_REGISTERED = """
CREATE FUNCTION tell_of_bag() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO announcements (type, subject, detail)
    VALUES ('bag.registered', NEW.bag_version_id::text,
        jsonb_build_object('location', NEW.location_id, 'role', NEW.role, 'ingest', NEW.ingest_id));
    RETURN NULL;
END $$
"""

_CALLBACKS = """
CREATE FUNCTION keep_callback() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.message_id, NEW.ingest_id, NEW.url, NEW.created_at)
        IS DISTINCT FROM (OLD.id, OLD.message_id, OLD.ingest_id, OLD.url, OLD.created_at) THEN
        RAISE EXCEPTION 'what callback % is about cannot change', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.fence < OLD.fence OR NEW.round < OLD.round THEN
        RAISE EXCEPTION 'the fence and the round of callback % never shrink', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""


def _trigger(name: str, when: str, function: str) -> str:
    return f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION {function}"


# By whatever statement an ingest gets its address or finishes, what is owed for it is written in the same transaction.
GUARDS = (
    _ASKED,
    _FINISHED,
    _REGISTERED,
    _CALLBACKS,
    _trigger(
        "ingests_owe_callbacks",
        "AFTER INSERT OR UPDATE OF callback_url ON ingests FOR EACH ROW WHEN (NEW.callback_url IS NOT NULL)",
        "owe_callback()",
    ),
    _trigger(
        "ingests_tell",
        "AFTER UPDATE OF finished_at ON ingests FOR EACH ROW "
        "WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL)",
        "tell_of_ingest()",
    ),
    _trigger("bag_locations_tell", "AFTER INSERT ON bag_locations FOR EACH ROW", "tell_of_bag()"),
    _trigger("callbacks_keep", "BEFORE UPDATE ON callbacks FOR EACH ROW", "keep_callback()"),
    _trigger("callbacks_stay", "BEFORE DELETE ON callbacks FOR EACH ROW", "refuse_change()"),
    _trigger("callback_log_only_grows", "BEFORE UPDATE OR DELETE ON callback_attempts FOR EACH ROW", "refuse_change()"),
)

# Callbacks that were asked for while nobody delivered them are owed all the same.
_OWED = """
INSERT INTO callbacks (ingest_id, url, state, due_at)
SELECT id, callback_url, CASE WHEN finished_at IS NULL THEN 'waiting' ELSE 'pending' END,
    CASE WHEN finished_at IS NULL THEN NULL ELSE clock_timestamp() END
FROM ingests WHERE callback_status = 'pending'
"""


def upgrade() -> None:
    _callbacks()
    _attempts()
    _announcements()
    _keys()
    _urgency()
    for statement in GUARDS:
        op.execute(statement)
    op.execute(_OWED)


def _callbacks() -> None:
    op.create_table(
        "callbacks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "message_id",
            sa.Uuid(),
            server_default=sa.text("gen_random_uuid()"),
            nullable=False,
            comment="the same however often it is sent",
        ),
        sa.Column("ingest_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="waiting: the ingest has not finished yet"),
        sa.Column("round", sa.Integer(), server_default=sa.text("1"), nullable=False, comment="grows with each replay"),
        sa.Column("fence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'pending', 'succeeded', 'failed')", name=op.f("ck_callbacks_state_is_known")
        ),
        sa.ForeignKeyConstraint(["ingest_id"], ["ingests.id"], name=op.f("fk_callbacks_ingest_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callbacks")),
        sa.UniqueConstraint("ingest_id", "url", name=op.f("uq_callbacks_ingest_id_url")),
    )
    op.create_index("ix_callbacks_due", "callbacks", ["due_at"], postgresql_where=sa.text("state = 'pending'"))


def _attempts() -> None:
    op.create_table(
        "callback_attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("callback_id", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True, comment="of the answer; NULL: there was none"),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), server_default="", nullable=False, comment="the beginning of the answer's body"),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["callback_id"], ["callbacks.id"], name=op.f("fk_callback_attempts_callback_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback_attempts")),
    )
    op.create_index("ix_callback_attempts_callback", "callback_attempts", ["callback_id", "id"])


def _announcements() -> None:
    op.create_table(
        "announcements",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("event_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="id of the ingest, bag version or campaign"),
        sa.Column(
            "detail", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcements")),
    )


def _keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_created", "idempotency_keys", ["created_at"])


def _urgency() -> None:
    op.add_column("replicas", sa.Column("priority", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("replicas", sa.Column("deadline", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_replicas_urgent",
        "replicas",
        ["priority", "deadline"],
        postgresql_where=sa.text("priority > 0 OR deadline IS NOT NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("the ledger is never taken back: restore a backup instead")
