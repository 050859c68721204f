"""The bags of a run: small ones of several kinds, in waves of a space each."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from local_stack.demo.content import film, text
from local_stack.demo.making import Recipe

WAVE = 8
"""Bags that are put down and imported together."""
_FILM = 18 * 2**20
"""Bytes: three parts."""


def waves(*, seed: int) -> Iterator[list[Recipe]]:
    """Wave after wave, for ever."""
    random = Random(seed)
    number = 0
    while True:
        yield [_KINDS[kind](f"wave-{number:03d}", f"bag-{kind}", random) for kind in range(WAVE)]
        number += 1


def _letters(space: str, name: str, random: Random) -> Recipe:
    return Recipe(space, name, 1, _texts(6, random))


def _frozen(space: str, name: str, random: Random) -> Recipe:
    return Recipe(space, name, 1, _texts(9, random), payload_class="GLACIER")


def _film(space: str, name: str, random: Random) -> Recipe:
    payload = {"data/film.mxf": film(random.randrange(2**32), size=_FILM), "data/empty.txt": b""}
    return Recipe(space, name, 1, payload, payload_class="GLACIER")


def _many(space: str, name: str, random: Random) -> Recipe:
    return Recipe(space, name, 1, _texts(25, random))


def _one(space: str, name: str, random: Random) -> Recipe:
    return Recipe(space, name, 1, {"data/one.txt": text(random.randrange(2**32), words=2000)}, payload_class="GLACIER")


def _two_algorithms(space: str, name: str, random: Random) -> Recipe:
    payload = {"data/Zürich Straße.txt": text(random.randrange(2**32), words=50), "data/100% sure.txt": b"sure"}
    return Recipe(space, f"{name}/with/slashes", 1, payload, algorithms=("sha512", "md5"))


def _tags(space: str, name: str, random: Random) -> Recipe:
    mets = {f"metadata/{n}.xml": text(random.randrange(2**32), words=80) for n in range(4)}
    return Recipe(space, name, 1, _texts(3, random), tag_files=mets, payload_class="DEEP_ARCHIVE")


def _corrupt(space: str, name: str, random: Random) -> Recipe:
    return Recipe(space, name, 1, _texts(4, random), corrupt="data/02.txt")


_KINDS = (_letters, _frozen, _film, _many, _one, _two_algorithms, _tags, _corrupt)


def _texts(number: int, random: Random) -> dict[str, bytes]:
    return {f"data/{n:02d}.txt": text(random.randrange(2**32), words=60 + 40 * n) for n in range(number)}
