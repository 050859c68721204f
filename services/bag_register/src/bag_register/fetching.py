"""The files of a bag version that earlier versions hold: where they lie, and whether they are there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from common.domain.bag import BagVersion
from common.domain.bagit.joined import PlannedFile
from common.domain.fetched import NotOurs, fetched_from
from common.domain.location import Location
from common.errors import NotFound
from common.ledger.importing import ImportProblem
from common.ports import ObjectStore

_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Place:
    """An object of an earlier version."""

    version: int
    key_path: str
    """Below the bag's root: "v1/data/a.tif"."""
    size: int


@dataclass(slots=True)
class Fetched:
    """What fetch.txt comes to. Held in memory: it lists what did not change, not the bag's whole payload."""

    places: dict[str, Place] = field(default_factory=dict)
    """By the file's path in the bag."""
    problems: list[ImportProblem] = field(default_factory=list)

    @property
    def versions(self) -> list[int]:
        return sorted({place.version for place in self.places.values()})


def look_up(
    files: Iterable[PlannedFile],
    *,
    bag: BagVersion,
    store: ObjectStore,
    location: Location,
    known: Sequence[Location],
    checkpoint: Callable[[], None],
) -> Fetched:
    """Resolve every fetched file of the bag and look at its object in `location`, where all versions lie together."""
    fetched = Fetched()
    with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="fetch") as pool:

        def look(file: PlannedFile) -> Place | ImportProblem:
            checkpoint()
            return _place(file, bag=bag, store=store, location=location, known=known)

        wanted = [file for file in files if file.url is not None]
        for file, found in zip(wanted, pool.map(look, wanted), strict=True):
            if isinstance(found, Place):
                fetched.places[file.path] = found
            else:
                fetched.problems.append(found)
    return fetched


def _place(
    file: PlannedFile, *, bag: BagVersion, store: ObjectStore, location: Location, known: Sequence[Location]
) -> Place | ImportProblem:
    def problem(code: str, message: str) -> ImportProblem:
        return ImportProblem(bag.path, code, "error", f"fetch.txt, {file.path}: {message}")

    try:
        origin = fetched_from(file.url or "", bag=bag, locations=known)
    except NotOurs as error:
        return problem("fetch_outside_bag", f"{error}. Correct the bag, or configure the location that the URL names.")
    key = f"{location.bag_root(bag)}/{origin.key_path}"
    try:
        size = store.head(key=key).size
    except NotFound:
        return problem("fetch_target_missing", f"{key} is not at {location.name}. Import the whole bag's location.")
    if file.size not in (None, size):
        return problem("fetch_target_size", f"{key} has {size} bytes, fetch.txt says {file.size}. Restore the file.")
    return Place(origin.version.number, origin.key_path, size)
