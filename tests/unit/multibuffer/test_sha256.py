"""SHA-256 of streams that are hashed beside each other."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import multibuffer
from multibuffer import LARGE, sha256, why_not
from multibuffer.hashing import _core, counts

compiled = pytest.mark.skipif(bool(why_not()), reason=f"streams are hashed one by one here: {why_not()}")
_FORMS: list[Callable[[bytes], bytes | bytearray | memoryview]] = [
    bytes,
    bytearray,
    memoryview,
    lambda data: memoryview(bytearray(data)),
    lambda data: memoryview(bytearray(b"before" + data))[6:],
]
_LENGTHS = st.sampled_from([0, 1, 55, 56, 63, 64, 65, 119, 120, 127, 128, 129, 1000, LARGE])


def test_the_compiled_part_is_used_unless_it_could_not_be_made() -> None:
    assert why_not() in ("", "it was installed without a C compiler", "this processor has no SHA instructions")


@given(st.lists(st.tuples(_LENGTHS, st.sampled_from(_FORMS)), max_size=6), st.integers(0, 255))
def test_every_split_of_a_stream_gives_what_hashlib_gives(
    blocks: list[tuple[int, Callable[[bytes], memoryview]]], seed: int
) -> None:
    ours, theirs, drawn = sha256(), hashlib.sha256(), Random(seed)

    for length, form in blocks:
        data = drawn.randbytes(length)
        ours.update(form(data))
        theirs.update(data)
        assert ours.hexdigest() == theirs.hexdigest()

    assert ours.digest() == theirs.digest()


def test_a_buffer_can_be_used_again_when_its_update_has_returned() -> None:
    buffer = bytearray(3 * LARGE + 7)
    view = memoryview(buffer)

    sha256().update(view)

    view.release()
    buffer.clear()


@compiled
def test_threads_that_hash_at_the_same_time_share_a_core_and_each_gets_its_own_digest() -> None:
    before, deadline = counts(), time.monotonic() + 30
    while counts()[0] == before[0]:
        assert time.monotonic() < deadline, "no two of eight threads ever met"
        _hash_at_once(threads=8)

    assert counts()[1] > before[1], "the last of several has nobody beside it"


@compiled
def test_a_lone_stream_waits_for_nobody() -> None:
    before, data = counts(), os.urandom(4 * LARGE)

    hasher = sha256()
    hasher.update(data)

    paired, single = counts()
    assert (paired - before[0], single - before[1]) == (0, len(data) // 64)
    assert hasher.digest() == hashlib.sha256(data).digest()


@compiled
def test_a_child_hashes_though_its_parent_was_hashing_when_it_was_made() -> None:
    ended, data = threading.Event(), bytearray(16 * LARGE)

    def work() -> None:
        while not ended.is_set():
            sha256().update(data)

    others = [threading.Thread(target=work) for _ in range(3)]
    for other in others:
        other.start()
    try:
        for _ in range(20):
            child = os.fork()
            if not child:
                hasher = sha256()
                hasher.update(data)
                os._exit(0 if hasher.digest() == hashlib.sha256(data).digest() else 1)
            assert _status(child, seconds=20) == 0
    finally:
        ended.set()
        for other in others:
            other.join()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory in which the compiled part is looked for."""
    monkeypatch.setattr("multibuffer.hashing.__file__", str(tmp_path / "hashing.py"))
    _core.cache_clear()
    yield tmp_path
    _core.cache_clear()


def test_without_a_compiled_part_it_is_hashlib(elsewhere: Path) -> None:
    assert not list(elsewhere.iterdir())

    assert why_not() == "it was installed without a C compiler"
    assert type(sha256()) is type(hashlib.sha256())
    assert counts() == (0, 0)


def test_a_compiled_part_that_cannot_be_loaded_is_not_used(elsewhere: Path) -> None:
    (elsewhere / f"_sha256{EXTENSION_SUFFIXES[0]}").write_bytes(b"no library")

    assert "cannot be loaded" in why_not()
    assert type(sha256()) is type(hashlib.sha256())


@compiled
def test_a_compiled_part_that_finds_other_digests_is_not_used(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [built] = Path(multibuffer.__path__[0]).glob("_sha256*.so")
    shutil.copy(built, elsewhere)
    monkeypatch.setattr("multibuffer.hashing._BEGIN", (1, 2, 3, 4, 5, 6, 7, 8))

    assert "wrong digest" in why_not()
    assert sha256().hexdigest() == hashlib.sha256().hexdigest()


def _hash_at_once(*, threads: int) -> None:
    start, wrong = threading.Barrier(threads), list[int]()

    def work(number: int) -> None:
        drawn = Random(number)
        data = bytearray(drawn.randbytes(8 * LARGE))
        ours, theirs = sha256(), hashlib.sha256()
        start.wait()
        for _ in range(50):
            # Of one slice, or a little more: whoever comes finds another at its end.
            part = memoryview(data)[number : drawn.randrange(LARGE // 2, 3 * LARGE)]
            ours.update(part)
            theirs.update(part)
        if ours.digest() != theirs.digest():
            wrong.append(number)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def _status(child: int, *, seconds: float) -> int:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        gone, status = os.waitpid(child, os.WNOHANG)
        if gone:
            return status
        time.sleep(0.005)
    os.kill(child, 9)
    os.waitpid(child, 0)
    pytest.fail("the child waits for a lock that nobody has")
