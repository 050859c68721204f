"""Patience and limits with several requests at a time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from random import Random

import pytest

from common.adapters.objects.memory import MemoryBucket, MemoryStore
from common.adapters.objects.wrappers.forwarding import ForwardingStore
from common.adapters.objects.wrappers.pace import Pace
from common.adapters.objects.wrappers.patience import Patience
from common.adapters.objects.wrappers.retrying import RetryingStore
from common.adapters.objects.wrappers.throttled import ThrottledStore
from common.adapters.objects.wrappers.turns import Turns
from common.adapters.objects.wrappers.unlabelled import UnlabelledStore
from common.errors import AlreadyExists, BackfillError, NotFound, StoreUnavailable, Throttled
from common.ports import AllCreated, AllFetched, GoingOn, New, ObjectInfo, ObjectStore, Wanted, always
from unit.common.adapters.objects.timeline import Timeline

KEYS = "abcdefgh"


class Trouble(ForwardingStore):
    """Fails with the next of its errors whenever one of these keys is asked for."""

    def __init__(self, **errors: list[BackfillError]) -> None:
        super().__init__(MemoryStore(bucket=MemoryBucket()))
        self.errors = errors
        self.asked: list[str] = []
        self.at_once: list[int] = []
        self.made_all_the_same = False

    @property
    def takes_several(self) -> bool:
        return True

    def fetch_several(self, wanted: Sequence[Wanted], *, at_once: int, going_on: GoingOn = always) -> AllFetched:
        self.at_once.append(at_once)
        return super().fetch_several(wanted, at_once=at_once, going_on=going_on)

    def create_several(self, new: Sequence[New], *, at_once: int) -> AllCreated:
        self.at_once.append(at_once)
        return super().create_several(new, at_once=at_once)

    def fetch(self, *, key: str, into: memoryview, **pins: str | None) -> ObjectInfo | None:  # type: ignore[override]
        self._fail(key)
        return self.store.fetch(key=key, into=into, **pins)

    def create(self, *, key: str, data: bytes | memoryview, **facts: object) -> ObjectInfo:  # type: ignore[override]
        if not self.made_all_the_same:
            self._fail(key)
        made = self.store.create(key=key, data=data, **facts)  # type: ignore[arg-type]
        self._fail(key)
        return made

    def _fail(self, key: str) -> None:
        self.asked.append(key)
        if self.errors.get(key):
            raise self.errors[key].pop(0)


def filled(store: Trouble) -> Trouble:
    for key in KEYS:
        store.store.create(key=key, data=key.encode())
    return store


def patient(store: ObjectStore, *, attempts: int = 5) -> RetryingStore:
    timeline = Timeline()
    return RetryingStore(
        store, patience=Patience(attempts=attempts, clock=timeline, sleep=timeline.sleep, random=Random(1))
    )


def wanted(keys: str = KEYS) -> list[Wanted]:
    return [Wanted(key, memoryview(bytearray(1))) for key in keys]


def new(keys: str = KEYS) -> list[New]:
    return [New(key, key.encode(), metadata={"sha256": "0"}) for key in keys]


def names(answers: Sequence[object]) -> str:
    """What came of each: its key, "!" for an error, "-" for nothing."""
    return "".join(it.key if isinstance(it, ObjectInfo) else "!" if it else "-" for it in answers)


def test_without_patience_the_rest_is_not_asked_for() -> None:
    store = filled(Trouble(c=[StoreUnavailable()]))

    assert names([one.answer for one in store.fetch_several(wanted(), at_once=1)]) == "ab!-----"


def test_patience_tries_what_failed_again_and_then_asks_for_the_rest() -> None:
    store = filled(Trouble(c=[StoreUnavailable(), StoreUnavailable()], f=[Throttled()]))
    asked = wanted()

    found = patient(store).fetch_several(asked, at_once=1)

    assert names([one.answer for one in found]) == KEYS
    assert [bytes(one.into).decode() for one in asked] == list(KEYS)
    assert all(0 < one.began <= one.ended for one in found)
    assert "".join(store.asked) == "abcccdeffgh"


def test_what_stays_wrong_is_told_of_that_one_and_tried_once() -> None:
    store = filled(Trouble(c=[NotFound("c")]))

    found = patient(store).fetch_several(wanted(), at_once=1)

    assert names([one.answer for one in found]) == "ab!defgh"
    assert "".join(store.asked) == KEYS


def test_when_patience_ends_the_rest_is_not_asked_for() -> None:
    store = filled(Trouble(c=[StoreUnavailable() for _ in range(9)]))

    found = patient(store, attempts=3).fetch_several(wanted(), at_once=1)

    assert names([one.answer for one in found]) == "ab!-----"
    assert [one.asked for one in found] == [True, True, True, *[False] * 5]
    assert isinstance(found[2].answer, StoreUnavailable)


def test_nobody_is_asked_for_again_once_it_is_over() -> None:
    store = filled(Trouble(b=[StoreUnavailable()]))
    left = iter([True, True, True, False, False])

    found = patient(store).fetch_several(wanted(), at_once=1, going_on=lambda: next(left))

    assert names([one.answer for one in found]) == "abc-----"


def test_creating_is_patient_too() -> None:
    store = Trouble(c=[StoreUnavailable()], f=[Throttled(), Throttled()])

    assert names(patient(store).create_several(new(), at_once=1)) == KEYS
    assert store.store.head(key="c").metadata == {"sha256": "0"}


def test_an_object_whose_answer_was_lost_is_there_already() -> None:
    store = Trouble(c=[StoreUnavailable()])
    store.made_all_the_same = True

    made = patient(store).create_several(new("bcd"), at_once=1)

    assert [type(answer) for answer in made] == [ObjectInfo, AlreadyExists, ObjectInfo]


def test_nothing_is_written_beside_the_bytes_where_it_shall_not_be() -> None:
    store = Trouble()

    UnlabelledStore(store).create_several(new("a"), at_once=1)

    assert store.store.head(key="a").metadata == {}


def limited(store: ObjectStore, turns: Turns, *, pace: Pace | None = None) -> ThrottledStore:
    return ThrottledStore(store, turns=turns, pace=pace)


def test_as_many_turns_are_taken_as_there_are_and_given_back() -> None:
    store, turns = filled(Trouble()), Turns(ceiling=6)

    with turns.turn(), turns.turn():
        limited(store, turns).fetch_several(wanted(), at_once=5)
        limited(store, turns).create_several(new("xyz"), at_once=2)
        limited(store, turns).fetch_several(wanted("a"), at_once=5)

    assert store.at_once == [4, 2, 1]
    with turns.several(99) as taken:
        assert taken == 6


@pytest.mark.parametrize("error", [KeyError("enough"), None])
def test_turns_are_given_back_whatever_happens(error: Exception | None) -> None:
    turns = Turns(ceiling=3)

    def going_on() -> bool:
        if error is not None:
            raise error
        return False

    if error is None:
        limited(filled(Trouble()), turns).fetch_several(wanted(), at_once=3, going_on=going_on)
    else:
        with pytest.raises(KeyError):
            limited(filled(Trouble()), turns).fetch_several(wanted(), at_once=3, going_on=going_on)

    with turns.several(99) as taken:
        assert taken == 3


def test_the_first_turn_is_waited_for() -> None:
    turns, begun, done = Turns(ceiling=1), threading.Event(), threading.Event()

    def fetch() -> None:
        begun.set()
        limited(filled(Trouble()), turns).fetch_several(wanted(), at_once=4)
        done.set()

    with turns.turn():
        thread = threading.Thread(target=fetch)
        thread.start()
        assert begun.wait(5)
        assert not done.wait(0.05)
    thread.join(5)
    assert done.is_set()


def test_everybody_who_waits_hears_of_the_turns_that_are_given_back() -> None:
    turns, done = Turns(ceiling=4), threading.Semaphore(0)

    def request() -> None:
        turns.request(lambda: done.release())

    with turns.several(4) as taken:
        threads = [threading.Thread(target=request) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert taken == 4
        assert not done.acquire(timeout=0.05)
    assert all(done.acquire(timeout=5) for _ in range(4))
    for thread in threads:
        thread.join(5)


def test_a_store_that_asks_for_less_gets_less() -> None:
    store, turns = filled(Trouble(d=[Throttled()])), Turns(ceiling=64, clock=Timeline())
    throttled = limited(store, turns)

    throttled.fetch_several(wanted(), at_once=8)
    throttled.fetch_several(wanted(), at_once=8)

    assert store.at_once == [8, 4]


def test_where_bytes_are_paced_they_go_one_by_one() -> None:
    timeline, store = Timeline(), filled(Trouble())
    paced = limited(store, Turns(ceiling=9), pace=Pace(lambda: 1, timeline, timeline.sleep))

    found = paced.fetch_several(wanted("abc"), at_once=3)

    assert not paced.takes_several
    assert limited(store, Turns(ceiling=9)).takes_several
    assert (names([one.answer for one in found]), store.at_once) == ("abc", [])
    assert sum(timeline.naps) >= 1
