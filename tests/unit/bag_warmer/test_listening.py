"""From a queue into the ledger: nothing that was told is lost, and nothing stands in the way of what comes after."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Engine, select

from bag_warmer.listening import Listener
from common.errors import LedgerUnavailable
from common.ledger.claims import Patience
from common.ledger.engine import open_engine, transaction
from common.ledger.tables import dead_letters
from common.ledger.thaw_tables import restore_events
from common.ports import Letter
from unit.bag_warmer.test_telling import record, records


@dataclass
class Queue:
    """A RestoreQueue in memory."""

    letters: list[Letter] = field(default_factory=list)

    def receive(self, *, wait: float) -> list[Letter]:
        return self.letters[:10]

    def forget(self, letters: Sequence[Letter]) -> None:
        self.letters = [letter for letter in self.letters if letter not in letters]


def listener(engine: Engine, *bodies: str) -> tuple[Listener, Queue]:
    queue = Queue([Letter(body, str(n)) for n, body in enumerate(bodies)])
    return Listener(engine=engine, queue=queue, name="q", buckets={"archive"}, patience=Patience()), queue


def kept(engine: Engine) -> list[Any]:
    with transaction(engine) as connection:
        return list(connection.execute(select(restore_events.c.bucket, restore_events.c.key)).tuples())


def test_what_is_understood_is_kept_and_what_is_not_becomes_a_dead_letter(engine: Engine) -> None:
    foreign = record("theirs")
    foreign["s3"]["bucket"]["name"] = "another-bucket"
    mine, queue = listener(engine, records(record("a+b"), record("c")), "\x00 nonsense", records(foreign))

    assert mine.once(wait=0) == 3
    assert kept(engine) == [("archive", "a b"), ("archive", "c")]
    assert queue.letters == []
    with transaction(engine) as connection:
        [letter] = connection.execute(select(dead_letters)).all()
    assert (letter.queue, letter.code, letter.body) == ("q", "not_an_event", "\\x00 nonsense")
    assert letter.reason.startswith("not JSON")


def test_what_cannot_be_kept_is_not_forgotten() -> None:
    nowhere = open_engine("postgresql://localhost:1/none", name="test")
    mine, queue = listener(nowhere, records(record()))

    with pytest.raises(LedgerUnavailable):
        mine.once(wait=0)

    assert len(queue.letters) == 1


def test_a_test_event_is_forgotten(engine: Engine) -> None:
    mine, queue = listener(engine, json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"}))

    assert mine.once(wait=0) == 1
    assert (kept(engine), queue.letters) == ([], [])
