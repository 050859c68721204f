"""`backfill evidence verify`: whatever is done to a sealed ledger is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import Engine, text

from bag_register.sealing import Sealer, signing
from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.registry import open_store
from common.domain.location import LocationId, Provider
from common.ledger import actions
from common.ledger.engine import transaction
from common.ledger.evidence import sealing
from unit.command_line import invoke
from unit.verifier.copies import Copies

LINKS = 9
"""Seven files read, and two actions."""


class Ledger:
    """A ledger with evidence and actions, sealed, its checkpoints in a directory."""

    def __init__(self, engine: Engine, dsn: str, directory: Path) -> None:
        self.engine, self.dsn, self.directory = engine, dsn, directory
        key = Ed25519PrivateKey.generate()
        self.public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
        pem = directory / "key.pem"
        pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        place = LocationConfig(id=LocationId("second"), provider=Provider.LOCAL, bucket=str(directory))
        self.sealer = Sealer(engine=engine, store=open_store(place), sign=signing(pem))
        self.act("first")
        self.sealer.checkpoint()
        Copies(engine).checked()
        self.act("second")
        self.sealer.checkpoint()

    def act(self, subject: str) -> None:
        with transaction(self.engine) as connection:
            actions.record(connection, who="somebody", what="looked", subject=subject)

    def tamper(self, *statements: str) -> None:
        """As the database's owner can, with all guards off."""
        with transaction(self.engine) as connection:
            for statement in ("SET LOCAL session_replication_role = replica", *statements):
                connection.execute(text(statement))

    def verify(self, *words: str) -> tuple[int, list[str]]:
        given = ["evidence", "verify", "--ledger", self.dsn, "-o", "json", "--checkpoints", str(self.directory)]
        result = invoke([*given, *words])
        assert result.stdout, result.stderr
        return result.exit_code, json.loads(result.stdout)["faults"]


@pytest.fixture
def ledger(engine: Engine, database: str, tmp_path: Path) -> Ledger:
    return Ledger(engine, database, tmp_path)


def test_a_ledger_that_nobody_touched_is_whole(ledger: Ledger) -> None:
    ledger.act("not sealed yet")

    result = invoke(
        [
            "evidence",
            "verify",
            "--ledger",
            ledger.dsn,
            "--checkpoints",
            str(ledger.directory),
            "--public-key",
            ledger.public,
        ],
    )

    assert result.stdout == f"{LINKS} links, 2 checkpoints, 1 rows not sealed yet\nThe chain is whole.\n"
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE evidence SET worker = 'x' WHERE id = 3", "evidence row 3 is not as it was sealed"),
        ("UPDATE evidence SET measured = '{}' WHERE id = 3", "evidence row 3 is not as it was sealed"),
        ("UPDATE evidence SET recorded_at = recorded_at + interval '1 us' WHERE id = 3", "evidence row 3 is not as"),
        ("UPDATE actions SET who = 'else' WHERE id = 1", "link 1: actions row 1 is not as it was sealed"),
        ("DELETE FROM evidence WHERE id = 2", "evidence row 2 was sealed and is not there"),
        ("DELETE FROM evidence_chain WHERE seq = 4", "link 4 is missing: link 5 comes after 3"),
        ("UPDATE evidence_chain SET hash = sha256('x') WHERE seq = 4", "link 4: "),
        ("DELETE FROM evidence_chain WHERE seq = 9", "9 rows were sealed then, the chain ends at 8"),
        (
            "INSERT INTO actions (who, what, subject, created_at) VALUES ('x', 'y', 'z', now() - interval '2 hours')",
            "actions row 3 is in no link: it was inserted without being sealed",
        ),
    ],
)
def test_the_first_row_that_was_touched_is_named(ledger: Ledger, statement: str, told: str) -> None:
    ledger.tamper(statement)

    code, faults = ledger.verify()

    assert code == 1
    assert told in faults[0]


@pytest.mark.slow
def test_every_column_of_every_sealed_row_counts(ledger: Ledger) -> None:
    """Whatever is changed of a row is noticed, so no column is left out of what a link covers."""
    with transaction(ledger.engine) as connection:
        columns = connection.execute(
            text(
                "SELECT table_name, column_name, data_type FROM information_schema.columns"
                " WHERE table_name IN ('evidence', 'actions') AND column_name <> 'id' ORDER BY 1, 2"
            )
        ).all()
    changed = {"jsonb": "'{\"other\": 1}'", "bigint": "77", "integer": "77", "uuid": "gen_random_uuid()"}
    changed |= {"timestamp with time zone": "now() - interval '1 year'"}

    for table, column, kind in columns:
        ledger.tamper(
            f"CREATE TABLE kept AS SELECT * FROM {table} WHERE id = 1",
            "ALTER TABLE evidence DROP CONSTRAINT IF EXISTS ck_evidence_outcome_is_known",
            "ALTER TABLE evidence DROP CONSTRAINT IF EXISTS ck_evidence_evidence_class_is_known",
            f"UPDATE {table} SET {column} = {changed.get(kind, chr(39) + 'other' + chr(39))} WHERE id = 1",
        )
        code, faults = ledger.verify()
        ledger.tamper(f"UPDATE {table} SET {column} = kept.{column} FROM kept WHERE {table}.id = 1", "DROP TABLE kept")
        assert (code, len(faults)) == (1, 1), column


def test_a_chain_that_was_made_anew_is_found_by_the_checkpoints(ledger: Ledger) -> None:
    ledger.tamper(
        "UPDATE evidence SET worker = 'x' WHERE id = 3", "DELETE FROM evidence_chain", "DELETE FROM chain_marks"
    )
    with transaction(ledger.engine) as connection:
        assert sealing.seal(connection) == LINKS

    without = invoke(["evidence", "verify", "--ledger", ledger.dsn])
    code, faults = ledger.verify()

    assert without.exit_code == 0
    assert code == 1
    assert "were made anew" in faults[0]


def test_checkpoints_vouch_for_each_other(ledger: Ledger) -> None:
    first, second = sorted(ledger.directory.glob("evidence-checkpoints/*.json"))
    forged = json.loads(second.read_text()) | {"time": "2020-01-01"}
    kept = first.read_bytes()

    first.unlink()
    removed = ledger.verify()
    first.write_bytes(kept)
    second.write_text(json.dumps(forged))
    changed = ledger.verify("--public-key", ledger.public)

    assert (removed[0], "names {'hash'" in removed[1][0]) == (1, True)
    assert changed == (1, [f"checkpoint {second.name} its signature is wrong"])
