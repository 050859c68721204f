"""Sealing evidence and human actions, and checkpoints at a second place."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from bag_register.sealing import Sealer, signing
from common.adapters.objects.memory import open_store
from common.errors import ConfigurationError
from common.ledger import actions
from common.ledger.engine import open_engine, transaction
from common.ledger.evidence import sealing
from common.ledger.evidence.canonical import START, canonical, link
from unit.bag_register.builders import in_memory


def act(engine: Engine, *subjects: str) -> None:
    for subject in subjects:
        with transaction(engine) as connection:
            actions.record(connection, who="somebody", what="looked", subject=subject)


def chain(engine: Engine) -> list[tuple[int, str, int, bytes]]:
    with transaction(engine) as connection:
        rows = connection.execute(text("SELECT seq, source, source_id, hash FROM evidence_chain ORDER BY seq")).all()
    return [(row.seq, row.source, row.source_id, bytes(row.hash)) for row in rows]


class Place:
    """A second place in memory, and the sealer that writes there."""

    def __init__(self, engine: Engine, **options: object) -> None:
        self.store = open_store(in_memory("second"))
        self.sealer = Sealer(engine=engine, store=self.store, prefix="proof/", **options)  # type: ignore[arg-type]

    def documents(self) -> dict[str, dict[str, object]]:
        found = {}
        for info in self.store.list(prefix=""):
            with self.store.read(key=info.key) as body:
                found[info.key] = json.loads(b"".join(body))
        return found


def test_rows_are_linked_in_the_order_of_their_ids(engine: Engine) -> None:
    act(engine, "a", "b", "c")

    with transaction(engine) as connection:
        sealed = sealing.seal(connection, at_most=2), sealing.seal(connection, at_most=2)

    with transaction(engine) as connection:
        rows = connection.execute(text("SELECT * FROM actions ORDER BY id")).mappings().all()
    hashes = [START]
    for row in rows:
        hashes.append(link(hashes[-1], canonical("actions", row)))
    assert sealed == (2, 1)
    expected = [(n, "actions", row["id"], hashes[n]) for n, row in enumerate(rows, start=1)]
    assert chain(engine) == expected


def test_a_row_that_commits_after_a_later_one_is_sealed_behind_it(engine: Engine) -> None:
    place = Place(engine)
    with engine.connect() as slow:
        actions.record(slow, who="somebody", what="looked", subject="early")
        act(engine, "late")
        first = place.sealer.seal()
        slow.commit()

    second = place.sealer.seal()

    assert (first, second, place.sealer.seal()) == (1, 1, 0)
    (late, early) = chain(engine)
    assert late[2] > early[2]


def test_many_who_seal_at_once_make_one_chain(engine: Engine, database: str) -> None:
    act(engine, *map(str, range(60)))
    others = [open_engine(database, name=f"s{n}", pool_size=1) for n in range(4)]

    def run(own: Engine) -> None:
        for _ in range(30):
            with transaction(own) as connection:
                sealing.seal(connection, at_most=3)

    threads = [threading.Thread(target=run, args=(own,)) for own in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
        assert not thread.is_alive()
    for own in others:
        own.dispose()

    Place(engine).sealer.seal()

    found = chain(engine)
    assert [row[0] for row in found] == list(range(1, 61))
    assert len({row[2] for row in found}) == 60


def test_a_mark_stays_behind_what_may_still_commit(engine: Engine) -> None:
    act(engine, "old", "young")
    with transaction(engine) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("UPDATE actions SET created_at = now() - interval '2 hours' WHERE subject = 'old'"))

    Place(engine).sealer.seal()

    with transaction(engine) as connection:
        mark = connection.execute(text("SELECT sealed_to FROM chain_marks WHERE source = 'actions'")).scalar_one()
        old = connection.execute(text("SELECT id FROM actions WHERE subject = 'old'")).scalar_one()
    assert mark == old


def test_a_checkpoint_says_where_the_chain_stands_and_what_the_last_one_said(engine: Engine) -> None:
    place = Place(engine)
    act(engine, "a")
    first = place.sealer.checkpoint()
    act(engine, "b", "c")

    place.sealer.chore()
    place.sealer.checkpoint()
    nothing_new = place.sealer.checkpoint()

    assert first is not None
    assert nothing_new is None
    hashes = [row[3].hex() for row in chain(engine)]
    documents = place.documents()
    assert list(documents) == [f"proof/evidence-checkpoints/{seq:020d}.json" for seq in (1, 3)]
    assert [(one["seq"], one["hash"], one["before"]) for one in documents.values()] == [
        (1, hashes[0], None),
        (3, hashes[2], {"seq": 1, "hash": hashes[0]}),
    ]


def test_a_place_that_holds_another_checkpoint_of_the_name_is_an_alert_and_stays(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place(engine)
    key = f"proof/evidence-checkpoints/{1:020d}.json"
    place.store.create(key=key, data=b'{"seq": 1, "hash": "of another chain"}')
    act(engine, "a")

    place.sealer.checkpoint()

    assert place.documents() == {key: {"seq": 1, "hash": "of another chain"}}
    assert "evidence_checkpoint" in capsys.readouterr().out
    with transaction(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM evidence_checkpoints WHERE written_at IS NULL")).scalar()


def test_checkpoints_are_signed_with_the_key_there_is(engine: Engine, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    pem = tmp_path / "key.pem"
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    place = Place(engine, sign=signing(pem))
    act(engine, "a")

    place.sealer.checkpoint()

    (document,) = place.documents().values()
    signature = document.pop("signature")
    assert isinstance(signature, dict)
    signed = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature["key"]))
    public.verify(bytes.fromhex(signature["value"]), signed)


def test_a_key_that_cannot_sign_is_refused_with_the_way_to_make_one(tmp_path: Path) -> None:
    pem = tmp_path / "key.pem"
    pem.write_text("no key")

    with pytest.raises(ConfigurationError, match=r"BACKFILL_EVIDENCE_KEY: .* cannot be read as a private key"):
        signing(pem)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE evidence_chain SET hash = '\\x00'",
        "DELETE FROM evidence_chain",
        "TRUNCATE evidence_chain",
        "TRUNCATE actions",
        "UPDATE evidence_checkpoints SET hash = '00'",
        "DELETE FROM evidence_checkpoints",
    ],
)
def test_the_database_refuses_to_change_what_is_sealed(engine: Engine, statement: str) -> None:
    act(engine, "a")
    Place(engine).sealer.checkpoint()

    with pytest.raises(DBAPIError, match=r"is refused|stays as it is"), transaction(engine) as connection:
        connection.execute(text(statement))
