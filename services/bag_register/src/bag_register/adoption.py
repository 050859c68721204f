"""One bag of a location: reads its manifests and says what the register would keep of it, or why it is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bag_register import fetching
from bag_register.fetching import Fetched
from bag_register.file_lists import FileLists, Kept
from common.domain.bag import BagVersion
from common.domain.bagit.bag_info import Oxum
from common.domain.bagit.joined import PlannedFile
from common.domain.bagit.names import ManifestKind
from common.domain.bagit.policy import Policy
from common.domain.bagit.reader import BagReading, read_bag
from common.domain.fixity import Algorithm
from common.domain.location import Location
from common.domain.replica import EvidenceClass
from common.domain.storage_manifest import ListedFile, info_of, shown_algorithm
from common.errors import Changed, NotFound, NotRestored, StoreUnavailable
from common.ledger.importing import Adoption, ImportProblem, NewBag
from common.ports import ObjectStore
from common.stored_bag import StoredBag

Checkpoint = Callable[[], None]

_POLICY = Policy(allow_fetch=True)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a bag. `new` is there exactly where it is to be registered."""

    adoption: Adoption
    problems: tuple[ImportProblem, ...] = ()
    new: NewBag | None = None


class Adopter:
    """Reads bags; payloads may be frozen, only their names and sizes are looked at."""

    def __init__(
        self,
        *,
        lists: FileLists,
        pins_of: Callable[[BagVersion], dict[str, str] | None],
        locations: Callable[[], list[Location]],
    ) -> None:
        self._lists = lists
        self._pins_of = pins_of
        """What the register has of a bag version; None: nothing."""
        self._locations = locations

    def adopt(self, bag: BagVersion, *, store: ObjectStore, location: Location, checkpoint: Checkpoint) -> Verdict:
        """The verdict on the bag at its place in `location`. Raises what says nothing about this one bag.

        One wrong byte on its way here would turn a good bag away: a refusal is what two readings say.
        """
        verdict = self._look(bag, store=store, location=location, checkpoint=checkpoint)
        if verdict.adoption is not Adoption.REFUSED:
            return verdict
        return self._look(bag, store=store, location=location, checkpoint=checkpoint)

    def _look(self, bag: BagVersion, *, store: ObjectStore, location: Location, checkpoint: Checkpoint) -> Verdict:
        source = StoredBag(store, root=location.root(bag), checkpoint=checkpoint)
        try:
            with read_bag(source, policy=_POLICY) as reading:
                verdict = self._judge(bag, reading, store=store, location=location, checkpoint=checkpoint)
                if verdict.adoption is Adoption.REGISTERED:
                    _confirm(reading, source)
                return verdict
        except (NotRestored, NotFound, Changed) as error:
            return _refused(ImportProblem(bag.path, error.code, "error", _remedy(error)))

    def _judge(
        self, bag: BagVersion, reading: BagReading, *, store: ObjectStore, location: Location, checkpoint: Checkpoint
    ) -> Verdict:
        found = tuple(ImportProblem(bag.path, p.code, p.severity.value, p.message) for p in reading.problems)
        pins = {path: pin.sha256 for path, pin in reading.pins.items()}
        registered = self._pins_of(bag)
        if registered is not None:
            return against_register(bag, pins=pins, registered=registered)
        faults = [*_identity(bag, reading)]
        if reading.rejected or faults:
            return _refused(*faults, *found)
        fetched = fetching.look_up(
            reading.inventory.files(),
            bag=bag,
            store=store,
            location=location,
            known=self._locations(),
            checkpoint=checkpoint,
        )
        if fetched.problems:
            return _refused(*fetched.problems, *found)
        kept = self._lists.keep(bag, listed_files(bag, reading, fetched))
        if fault := _oxum_fault(bag, reading.info.payload_oxum, kept):
            return _refused(fault, *found)
        new = _new_bag(bag, reading, location=location, pins=pins, kept=kept, depends_on=fetched.versions)
        return Verdict(Adoption.REGISTERED, found, new)


def _confirm(reading: BagReading, source: StoredBag) -> None:
    """Read once more what no tag manifest vouches for: the register keeps its digest for ever.

    Raises StoreUnavailable where the two readings differ.
    """
    for path, pin in reading.pins.items():
        if reading.inventory.expected(path):
            continue
        hasher = hashlib.sha256()
        with source.open(path) as body:
            for block in body:
                hasher.update(block)
        if hasher.hexdigest() != pin.sha256:
            raise StoreUnavailable(f"two readings of {path} have different bytes, though its ETag is the same")


def against_register(bag: BagVersion, *, pins: dict[str, str], registered: dict[str, str]) -> Verdict:
    """A bag version that the register has: the same, or another of the same name, which changes nothing."""
    if pins == registered:
        return Verdict(Adoption.KNOWN)
    differing = sorted(path for path in {*pins, *registered} if pins.get(path) != registered.get(path))
    return _refused(
        ImportProblem(
            bag.path,
            "conflict",
            "error",
            f"another bag is registered as {bag}: {', '.join(differing)} differ. The register keeps what it has; "
            "find out which of the two is right.",
        ),
    )


def listed_files(bag: BagVersion, reading: BagReading, fetched: Fetched) -> Iterator[ListedFile]:
    """Every file as the record keeps it: payload first, tag files after, each by name."""
    for tag in (False, True):
        for file in reading.inventory.files():
            if file.is_tag is tag:
                yield _listed(bag, file, fetched)


def _listed(bag: BagVersion, file: PlannedFile, fetched: Fetched) -> ListedFile:
    place = fetched.places.get(file.path) if file.url is not None else None
    return ListedFile(
        name=file.path,
        path=place.key_path if place else f"{bag.version}/{file.key}",
        size=place.size if place else file.size or 0,
        checksums=dict(file.checksums),
        tag=file.is_tag,
    )


def evidence_class(oxum: Oxum | None) -> EvidenceClass:
    """Names always agree with the manifests here; only Payload-Oxum says anything about sizes."""
    return EvidenceClass.SIZED if oxum else EvidenceClass.LISTED


def _new_bag(
    bag: BagVersion,
    reading: BagReading,
    *,
    location: Location,
    pins: dict[str, str],
    kept: Kept,
    depends_on: list[int],
) -> NewBag:
    return NewBag(
        bag=bag,
        location_id=location.id.value,
        evidence_class=evidence_class(reading.info.payload_oxum),
        info=info_of(reading.info),
        algorithm=_algorithm(reading),
        file_count=kept.files,
        bytes=kept.bytes,
        pins=pins,
        depends_on=depends_on,
        files_key=kept.key,
        files_sha256=kept.sha256,
    )


def _algorithm(reading: BagReading) -> Algorithm:
    tag = [m.algorithm for m in reading.inventory.manifests if m.kind is ManifestKind.TAG]
    chosen = shown_algorithm(payload=reading.algorithms, tag=tag)
    assert chosen, "a bag without a payload manifest was refused before"
    return chosen


def _identity(bag: BagVersion, reading: BagReading) -> Iterator[ImportProblem]:
    written = reading.info.external_identifier
    if written is not None and written != bag.external_identifier.value:
        yield ImportProblem(
            bag.path,
            "identifier_differs",
            "error",
            f"bag-info.txt has the External-Identifier {written!r}, the path has {bag.external_identifier.value!r}. "
            "Move the bag to the place that its identifier names.",
        )


def _oxum_fault(bag: BagVersion, oxum: Oxum | None, kept: Kept) -> ImportProblem | None:
    """Once more with the sizes of fetched files, which fetch.txt need not tell."""
    if oxum is None or (oxum.octets, oxum.files) == (kept.payload_bytes, kept.payload_files):
        return None
    measured = Oxum(kept.payload_bytes, kept.payload_files)
    told = f"Payload-Oxum is {oxum}, the payload with its fetched files is {measured}. Compare the bag with its source."
    return ImportProblem(bag.path, "bag_oxum_mismatch", "error", told)


def _refused(*problems: ImportProblem) -> Verdict:
    return Verdict(Adoption.REFUSED, problems)


def _remedy(error: NotRestored | NotFound | Changed) -> str:
    if isinstance(error, NotRestored):
        return f"{error}. Restore the bag's manifests and tag files, then import again; payload files may stay frozen."
    return f"{error}. Import again when nobody writes to the bag."
