"""The promises of the parsers, without atheris: over the kept corpus, and over what hypothesis makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.catalogue import CORPUS, TARGETS, corpus
from fuzz.run import replay

MOST_BYTES = 300 * 1024
SLOW = {"bag", "file_list", "locations"}
_inputs = {name: [path.read_bytes() for path in corpus(name)] for name in TARGETS}


@st.composite
def mutants(draw: st.DrawFn, name: str) -> bytes:
    """A kept input with some of its bytes gone, repeated, or put in place by others; or any bytes at all."""
    data = draw(st.sampled_from(_inputs[name]))
    for _ in range(draw(st.integers(0, 3))):
        first, last = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        between = draw(st.one_of(st.binary(max_size=8), st.just(data[first:last] * 2), st.sampled_from(_inputs[name])))
        data = data[:first] + between + data[last:]
    return draw(st.one_of(st.just(data), st.binary(max_size=200)))


@pytest.mark.parametrize("name", TARGETS)
def test_no_kept_input_breaks_a_promise(name: str) -> None:
    for path in corpus(name):
        try:
            TARGETS[name](path.read_bytes())
        except Exception as error:
            error.add_note(f"replay it: make fuzz TARGET={name} INPUT={path}")
            raise


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_near_a_kept_input_breaks_a_promise(name: str) -> None:
    @settings(deadline=None, max_examples=25 if name in SLOW else 80, suppress_health_check=list(HealthCheck))
    @given(mutants(name))
    def attack(data: bytes) -> None:
        TARGETS[name](data)

    attack()


def test_the_corpus_is_small_and_has_inputs_for_every_target_and_for_no_other() -> None:
    directories = {path.name for path in CORPUS.iterdir()}

    assert directories == set(TARGETS)
    assert all(_inputs.values()), [name for name, found in _inputs.items() if not found]
    assert sum(len(data) for found in _inputs.values() for data in found) < MOST_BYTES


def test_a_broken_promise_is_replayed_with_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(data: bytes) -> None:
        raise AssertionError("a promise")

    monkeypatch.setitem(TARGETS, "broken", broken)
    (tmp_path / "crash").write_bytes(b"x")

    with pytest.raises(AssertionError, match="a promise"):
        replay("broken", tmp_path / "crash")
