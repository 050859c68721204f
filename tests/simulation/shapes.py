"""What a seed's world looks like before anything goes wrong: bags, locations, processes, settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

from common.domain.bag import BagVersion
from common.domain.location import Location, LocationId, Provider
from common.ledger.claims import Patience
from common.ports import Limits
from local_stack.demo.making import MadeObject, Recipe, make

COLD = Location(LocationId("cold"), Provider.MEMORY, "cold")
FIRST = Location(LocationId("first"), Provider.MEMORY, "first")
SECOND = Location(LocationId("second"), Provider.MEMORY, "second", prefix="copies/")
HOUR = 3600.0
_ROOMY = Limits(max_single_put=2**30, min_part=1, max_part=2**30, max_parts=10_000, max_object=2**40)
TIGHT = Limits(max_single_put=64, min_part=1, max_part=48, max_parts=100, max_object=4800)
"""So small that most files go up in parts."""
_WORDS = (b"", b"a", b"one line of text\n", b"0123456789" * 9, b"all the same, every word of it. " * 5)


@dataclass(frozen=True, slots=True)
class Bag:
    """A bag version and its objects at the source."""

    version: BagVersion
    objects: tuple[MadeObject, ...]

    @property
    def payload(self) -> list[str]:
        return [item.key for item in self.objects if not item.tag]

    @property
    def tags(self) -> list[str]:
        return [item.key for item in self.objects if item.tag]


@dataclass(frozen=True, slots=True)
class Shape:
    """One world."""

    bags: tuple[Bag, ...]
    destinations: tuple[Location, ...]
    limits: Limits
    workers: int
    """Processes of each service."""
    frozen: bool
    """Something must be thawed."""
    haste: float
    segment_files: int
    patience: Patience
    retries: int
    """How often an operator asks again for what has failed."""
    check_thaw_every: timedelta
    callback_url: str | None = None
    """Whom everybody who asks wants called back."""

    @property
    def horizon(self) -> float:
        """When faults end, seconds."""
        return 4 * 24 * HOUR if self.frozen else 3 * HOUR


def draw(seed: int, *, storage_class: str | None = None, **given: Any) -> Shape:
    """The seed's world, but for what is `given` of it."""
    random = Random(f"shape {seed}")
    drawn = random.choices(("STANDARD", "GLACIER", "DEEP_ARCHIVE", "INTELLIGENT_TIERING"), (60, 25, 8, 7))[0]
    storage_class = storage_class or drawn
    bags = tuple(
        _bag(f"s{seed}/b{number}", random, storage_class=storage_class)
        for number in range(random.choices((1, 2), (75, 25))[0])
    )
    shape = Shape(
        bags=bags,
        destinations=(FIRST,) if random.random() < 0.8 else (FIRST, SECOND),
        limits=TIGHT if random.random() < 0.3 else _ROOMY,
        workers=random.choices((1, 2), (60, 40))[0],
        frozen=any(item.storage_class != "STANDARD" for bag in bags for item in bag.objects),
        haste=random.choices((0.02, 0.5, 8.0), (40, 40, 20))[0],
        segment_files=random.choice((1, 3, 500)),
        patience=Patience(),
        retries=random.choice((0, 1, 2)),
        check_thaw_every=timedelta(hours=random.choice((1, 3, 6))),
        callback_url="https://example.org/told" if random.random() < 0.4 else None,
    )
    return replace(shape, **given)


def smallest(*, frozen: bool = False) -> Shape:
    """One bag of one file, one process of each service, everything in order."""
    random = Random(0)
    return Shape(
        bags=(_bag("pairs/b0", random, storage_class="GLACIER" if frozen else "STANDARD", files=1, frozen_tags=0.0),),
        destinations=(FIRST,),
        limits=_ROOMY,
        workers=1,
        frozen=frozen,
        haste=0.02,
        segment_files=500,
        patience=Patience(),
        retries=0,
        check_thaw_every=timedelta(hours=6),
    )


def _bag(
    identifier: str, random: Random, *, storage_class: str, files: int | None = None, frozen_tags: float = 0.1
) -> Bag:
    number = files if files is not None else random.choices((1, 2, 3), (50, 30, 20))[0]
    payload = {f"data/{n}": random.choice(_WORDS) for n in range(number)}
    tiered = storage_class == "INTELLIGENT_TIERING"
    recipe = Recipe(
        "sim",
        identifier,
        1,
        payload,
        payload_class=storage_class,
        frozen_tags="GLACIER" if random.random() < frozen_tags else None,
        archive_tier="ARCHIVE_ACCESS" if tiered else None,
    )
    return Bag(BagVersion.of("sim", identifier, 1), tuple(make(recipe)))


def another(bag: Bag) -> Bag:
    """A valid bag of the same name with other content."""
    recipe = Recipe("sim", bag.version.external_identifier.value, 1, {"data/0": b"another bag altogether"})
    return Bag(bag.version, tuple(make(recipe)))
