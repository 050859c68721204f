"""One bag of a location: reads its manifests and says what the register would keep of it, or why it is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bag_register import fetching
from bag_register.fetching import Fetched
from bag_register.file_lists import Keeper, Kept
from bag_register.walking import Found, Listing
from common.domain.bag import BagVersion
from common.domain.bagit import fetch
from common.domain.bagit.bag_info import Oxum
from common.domain.bagit.joined import PlannedFile
from common.domain.bagit.names import ManifestKind
from common.domain.bagit.policy import Policy
from common.domain.bagit.reader import BagReading, read_bag
from common.domain.fixity import Algorithm
from common.domain.location import Location
from common.domain.replica import EvidenceClass
from common.domain.storage_class import Classes
from common.domain.storage_manifest import ListedFile, info_of, shown_algorithm
from common.errors import Changed, NotFound, NotRestored, StoreUnavailable
from common.ledger.adopting import Entry, NewBag
from common.ledger.importing import Adoption, ImportProblem
from common.ports import ObjectInfo, ObjectStore
from common.stored_bag import StoredBag

Checkpoint = Callable[[], None]

_POLICY = Policy(allow_fetch=True)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a bag. `new` is there exactly where it is to be registered."""

    adoption: Adoption | None
    """None: nothing yet, its tag files are frozen; or it is no bag, and nothing is to be counted."""
    problems: tuple[ImportProblem, ...] = ()
    new: NewBag | None = None
    copy: EvidenceClass | None = None
    """What is known of a further copy of a registered bag, where further copies are wanted."""
    classes: Classes | None = None
    """In which storage classes its objects were listed; None where the list does not tell."""
    listed_at: datetime | None = None
    """When that was; None: just now."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where bags are looked at."""

    store: ObjectStore
    listing: Listing
    location: Location
    known: Sequence[Location]
    """Every location there is: fetch.txt may name any of them."""
    checkpoint: Checkpoint
    copies: bool = False
    """Bags that are registered with another primary location enter their record here too, as listed."""
    tells_classes: bool = True
    """Whether the listing knows storage classes."""
    listed_at: datetime | None = None
    """When it was made; None: it is the store's own."""
    thaws: bool = False
    """Frozen tag files are waited for; otherwise they are a problem."""


class Adopter:
    """Reads bags; payloads may be frozen, only their names and sizes are looked at."""

    def __init__(self, lists: Keeper) -> None:
        self._lists = lists

    def adopt(self, found: Found, *, at: Place, entry: Entry | None) -> Verdict:
        """The verdict on a bag; `entry` is what the register has of it. Raises what says nothing about this one bag.

        One wrong byte on its way here would turn a good bag away: a refusal is what two readings say.
        """
        bag = found.bag
        assert bag is not None
        listed = found.objects
        verdict = self._look(bag, at, entry, None if listed is None else lambda: listed)
        if verdict.adoption is not Adoption.REFUSED:
            return verdict
        return self._look(bag, at, entry, None)

    def _look(
        self, bag: BagVersion, at: Place, entry: Entry | None, listed: Callable[[], Iterable[ObjectInfo]] | None
    ) -> Verdict:
        root = at.location.root(bag)
        listing = listed or (lambda: at.listing.list(prefix=root))
        source = StoredBag(at.store, root=root, checkpoint=at.checkpoint, listing=listing)
        try:
            with read_bag(source, policy=_POLICY) as reading:
                verdict = self._judge(bag, reading, at, entry)
                if verdict.adoption is Adoption.REGISTERED:
                    _confirm(reading, source)
                classes = source.classes.named(at.location.provider) if at.tells_classes else None
                return replace(verdict, classes=classes, listed_at=at.listed_at)
        except NotRestored as error:
            if at.thaws:
                return Verdict(None)
            return _refused(ImportProblem(bag.path, error.code, "error", _remedy(error)))
        except (NotFound, Changed) as error:
            return _refused(ImportProblem(bag.path, error.code, "error", _remedy(error)))

    def _judge(self, bag: BagVersion, reading: BagReading, at: Place, entry: Entry | None) -> Verdict:
        found = tuple(ImportProblem(bag.path, p.code, p.severity.value, p.message) for p in reading.problems)
        pins = {path: pin.sha256 for path, pin in reading.pins.items()}
        if entry is not None:
            verdict = against_register(bag, pins=pins, entry=entry, location=at.location)
            return _as_copy(verdict, reading) if at.copies and verdict.problems else verdict
        faults = [*_identity(bag, reading)]
        if reading.rejected or faults:
            return _refused(*faults, *found)
        fetched = _fetched(bag, reading, at)
        if fetched.problems:
            return _refused(*fetched.problems, *found)
        kept = self._lists.keep(listed_files(bag, reading, fetched))
        if fault := _oxum_fault(bag, reading.info.payload_oxum, kept):
            return _refused(fault, *found)
        new = _new_bag(bag, reading, location=at.location, pins=pins, kept=kept, depends_on=fetched.versions)
        return Verdict(Adoption.REGISTERED, found, new)


def _fetched(bag: BagVersion, reading: BagReading, at: Place) -> Fetched:
    if fetch.NAME not in reading.pins:
        return Fetched()
    return fetching.look_up(
        reading.inventory.files(),
        bag=bag,
        store=at.store,
        location=at.location,
        known=at.known,
        checkpoint=at.checkpoint,
    )


def _confirm(reading: BagReading, source: StoredBag) -> None:
    """Read once more what nothing vouches for, neither a tag manifest nor an ETag that is the MD5 of what was read: the
    register keeps its digest for ever.

    Raises StoreUnavailable where the two readings differ.
    """
    for path, pin in reading.pins.items():
        if pin.vouched or reading.inventory.expected(path):
            continue
        hasher = hashlib.sha256()
        with source.open(path) as body:
            for block in body:
                hasher.update(block)
        if hasher.hexdigest() != pin.sha256:
            raise StoreUnavailable(f"two readings of {path} have different bytes, though its ETag is the same")


def against_register(bag: BagVersion, *, pins: Mapping[str, str], entry: Entry, location: Location) -> Verdict:
    """A bag version that the register has: the same, or another of the same name, which changes nothing."""
    if pins == entry.pins:
        return Verdict(
            Adoption.KNOWN, () if entry.primary == location.id.value else (_duplicate(bag, entry, location),)
        )
    differing = sorted(path for path in {*pins, *entry.pins} if pins.get(path) != entry.pins.get(path))
    return _refused(
        ImportProblem(
            bag.path,
            "conflict",
            "error",
            f"another bag is registered as {bag}: {', '.join(differing)} differ. The register keeps what it has; "
            "find out which of the two is right.",
        ),
    )


def _as_copy(verdict: Verdict, reading: BagReading) -> Verdict:
    """A copy of a registered bag is listed here if it is whole; otherwise it is told why it is not."""
    if verdict.adoption is not Adoption.KNOWN:
        return verdict
    if not reading.rejected:
        return Verdict(Adoption.KNOWN, copy=evidence_class(reading.info.payload_oxum))
    where = verdict.problems[0].bag_path
    return _refused(*(ImportProblem(where, p.code, p.severity.value, p.message) for p in reading.problems))


def _duplicate(bag: BagVersion, entry: Entry, location: Location) -> ImportProblem:
    told = (
        f"the same bag is registered with {entry.primary} as its primary location. This copy enters its record "
        f"when it has been read back: backfill the bag to {location.name}, or have it verified there."
    )
    return ImportProblem(bag.path, "duplicate", "warning", told)


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
