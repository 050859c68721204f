"""What a bag's own manifests make of a replica: refuse what cannot be, name what is needed, cut the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from common.domain.bag import BagVersion, Version
from common.domain.bagit.joined import PlannedFile as ReadFile
from common.domain.bagit.reader import BagReading
from common.domain.fetched import FetchedFrom, NotOurs, fetched_from
from common.domain.location import Location
from common.domain.naming import Names
from common.domain.problem import Severity
from common.domain.segment import PlannedFile, SegmentPlan
from common.outcome import Rejected
from common.ports import Limits, ObjectStore
from common.thawing.warmth import readable_as_listed
from common.wording import count

MOST_NAMED = 20


def invalid(reading: BagReading) -> Rejected | None:
    """Why the bag at the source cannot be copied at all; None where it can."""
    errors = [problem for problem in reading.problems if problem.severity is Severity.ERROR]
    if not reading.rejected:
        return None
    told = [problem.message for problem in errors]
    number = reading.findings.errors
    return Rejected(
        code=errors[0].code,
        why="\n".join(told),
        for_user=f"the bag at the source is not valid, {count(number, 'problem')}: " + "; ".join(told[:3]),
    )


def changed(pins: Mapping[str, str], registered: Mapping[str, str]) -> Rejected | None:
    """Why the bag at the source is not the one that was registered; None where it is."""
    if dict(pins) == dict(registered):
        return None
    names = sorted(path for path in {*pins, *registered} if pins.get(path) != registered.get(path))
    told = f"not the bytes the bag was registered with: {', '.join(names)}"
    return Rejected(code="manifest_changed", why=told, for_user=told)


def unholdable(files: Iterable[ReadFile], *, key: Callable[[str], str], destination: ObjectStore) -> Rejected | None:
    """Every name that the destination cannot hold, found before anything is thawed; None where there is none.

    `key` tells where the destination would hold a file, mapped if that is its policy.
    """
    faults: list[str] = []
    number = 0
    for file in files:
        if file.url is None and (fault := destination.name_fault(key(file.key))):
            number += 1
            if len(faults) < MOST_NAMED:
                faults.append(f"{file.path}: {fault}")
    if not number:
        return None
    told = "; ".join(faults)
    return Rejected(
        code="name_not_allowed", why=told, for_user=f"the destination cannot hold {count(number, 'name')}: {told}"
    )


def too_large(files: Iterable[ReadFile], *, limits: Limits) -> Rejected | None:
    """Every file that the destination cannot hold in one object; None where there is none."""
    large = [f"{file.path} ({file.size} bytes)" for file in files if not file.url and too_large_for(file.size, limits)]
    if not large:
        return None
    told = f"{count(len(large), 'file')} too large for the destination: {', '.join(large[:MOST_NAMED])}"
    return Rejected(code="too_large_for_destination", why=told, for_user=told)


def too_large_for(size: int | None, limits: Limits) -> bool:
    return size is not None and size > min(limits.max_object, limits.max_part * limits.max_parts)


@dataclass(slots=True)
class Fetches:
    """Where the fetched files of a bag version lie, and on which versions it therefore depends."""

    places: dict[str, FetchedFrom] = field(default_factory=dict)
    """By path. Held in memory: fetch.txt lists what did not change between versions, not the bag's whole payload."""
    faults: list[str] = field(default_factory=list)

    @property
    def versions(self) -> list[Version]:
        return sorted({place.version for place in self.places.values()})

    def refused(self) -> Rejected | None:
        """Every URL that leads outside the bag; None where there is none."""
        if not self.faults:
            return None
        told = "; ".join(self.faults[:MOST_NAMED])
        number = count(len(self.faults), "URL")
        return Rejected(code="fetch_outside_bag", why=told, for_user=f"fetch.txt has {number} outside the bag: {told}")


def fetches(files: Iterable[ReadFile], *, bag: BagVersion, locations: Iterable[Location]) -> Fetches:
    """Resolve what fetch.txt says."""
    found, known = Fetches(), list(locations)
    for file in files:
        if file.url is None:
            continue
        try:
            found.places[file.path] = fetched_from(file.url, bag=bag, locations=known)
        except NotOurs as error:
            found.faults.append(str(error))
    return found


def needs_no_thaw(plan: SegmentPlan) -> bool:
    """Whether the list that the plan comes from says of each file that it can be read.

    Fetched files are in no list and are not read from the source.
    """
    return all(readable_as_listed(file.storage_class) for file in plan.files)


def planned(
    files: Iterable[ReadFile],
    *,
    bag: BagVersion,
    fetched: Fetches,
    sizes: Mapping[str, int],
    names: Names = Names.REFUSE,
) -> Iterator[PlannedFile]:
    """The files as segments hold them. `sizes` by path has those of fetched files of unknown length."""
    for file in files:
        place = fetched.places.get(file.path)
        key_path = place.key_path if place else f"{bag.version}/{file.key}"
        stored = names.stored(key_path)
        yield PlannedFile(
            path=file.path,
            key_path=key_path,
            size=file.size if file.size is not None else sizes[file.path],
            checksums=dict(file.checksums),
            etag=file.etag or "",
            version_id=file.version_id,
            storage_class=file.storage_class,
            fetched=place is not None,
            stored_as=None if stored == key_path else stored,
        )
