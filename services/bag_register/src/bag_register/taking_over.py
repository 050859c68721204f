"""Taking over what another register says: each claim is compared with what lies there, and its dates are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from bag_register.adoption import Adopter, Place, Verdict
from bag_register.file_lists import Keeper, Kept
from bag_register.manifests import Claimed, ClaimedFile, Manifest, NotAManifest, read_manifest
from bag_register.walking import Found
from common.domain.bag import BagVersion
from common.domain.location import Location
from common.domain.replica import EvidenceClass
from common.domain.storage_class import Classes
from common.domain.storage_manifest import ListedFile
from common.errors import BackfillError, TransientError
from common.ledger.adopting import Entry, ListedReplica
from common.ledger.importing import Adoption, ImportProblem
from common.ports import ObjectStore, Stores
from common.whole import read_whole

_MOST = 256 << 20
"""Bytes of a manifest; that of a bag of a million files has about 200 million."""
_NAMED = 5


def manifests_in(store: ObjectStore, *, prefix: str, after: str | None) -> Iterator[Found]:
    """Every JSON object below `prefix`, by key, behind `after`; which bag it is of is known when it has been read."""
    for info in store.list(prefix=prefix, start_after=after):
        if info.key.endswith(".json"):
            yield Found(path=info.key, end=info.key, bag=None)


class Successor:
    """Reads manifests of the other register, and looks whether they are true."""

    def __init__(
        self,
        *,
        store: ObjectStore,
        stores: Stores,
        lists: Keeper,
        at: Place,
        entry_of: Callable[[BagVersion], Entry | None],
    ) -> None:
        """`store` holds the manifests; `at` is the location whose bags are imported."""
        self._store, self._stores, self._lists = store, stores, lists
        self._at, self._entry_of = at, entry_of

    def verdict(self, found: Found) -> Verdict:
        """On the bag version that the manifest at `found.path` speaks of."""
        whole = read_whole(self._store, key=found.path, most=_MOST)
        if whole is None:
            told = f"it has more than {_MOST} bytes. Import the bag from its location."
            return _refused(ImportProblem(found.path, "manifest_not_understood", "error", told))
        try:
            manifest = read_manifest(whole)
        except NotAManifest as error:
            told = f"it is no storage manifest: {error}. Leave it out, or correct it."
            return _refused(ImportProblem(found.path, "manifest_not_understood", "error", told))
        return self._compared(manifest)

    def _compared(self, manifest: Manifest) -> Verdict:
        bag, location = manifest.bag, self._at.location
        if not _is_at(manifest.primary, location, bag):
            told = f"its primary location is {_shown(manifest.primary)}, which is not {location.name}. Import that one."
            return _refused(ImportProblem(bag.path, "other_location", "error", told))
        kept = _Comparing(self._lists, manifest)
        verdict = Adopter(kept).adopt(Found(bag.path, "", bag), at=self._at, entry=self._entry_of(bag))
        if verdict.adoption is not Adoption.REGISTERED or verdict.new is None:
            return verdict
        if kept.differing:
            told = f"what lies there is not what its manifest says: {'; '.join(kept.differing[:_NAMED])}"
            more = len(kept.differing) - _NAMED
            told += f"; and {more} more. " if more > 0 else ". "
            told += "Compare both with another copy."
            return _refused(ImportProblem(bag.path, "record_differs", "error", told))
        replicas, problems = self._replicas(manifest)
        new = replace(verdict.new, created=manifest.created, ingest_id=manifest.ingest_id, replicas=replicas)
        return Verdict(Adoption.REGISTERED, (*verdict.problems, *problems), new)

    def _replicas(self, manifest: Manifest) -> tuple[list[ListedReplica], list[ImportProblem]]:
        found, problems = [], []
        for claimed in manifest.replicas:
            classes = Classes()
            location = next((each for each in self._at.known if _is_at(claimed, each, manifest.bag)), None)
            fault = (
                "it is no location of this service" if location is None else self._listed(manifest, location, classes)
            )
            if location is None or fault:
                told = f"the copy at {_shown(claimed)} is not taken over: {fault}. Configure the place, or backfill it."
                problems.append(ImportProblem(manifest.bag.path, "replica_not_listed", "warning", told))
            else:
                found.append(ListedReplica(location.id.value, EvidenceClass.SIZED, classes.named(location.provider)))
        return found, problems

    def _listed(self, manifest: Manifest, location: Location, classes: Classes) -> str | None:
        """Why names and sizes of a copy are not the manifest's; None where they are. Counts `classes` meanwhile."""
        root = f"{location.bag_root(manifest.bag)}/"
        own = f"{manifest.bag.version}/"
        wanted = {file.path: file.size for file in manifest.files.values()}
        # Files of earlier versions are part of their copies.
        here = {path: size for path, size in wanted.items() if path.startswith(own)}
        try:
            listing = self._stores(location.id).list(prefix=location.root(manifest.bag))
            there = {}
            for info in listing:
                there[info.key.removeprefix(root)] = info.size
                classes.add(info.storage_class or "", info.size)
        except TransientError:
            raise
        except BackfillError as error:
            return f"{error.code}: {error}"
        differing = sorted(path for path in {*here, *there} if here.get(path) != there.get(path))
        if not differing:
            return None
        return f"{len(differing)} names or sizes differ, such as {', '.join(differing[:_NAMED])}"


class _Comparing:
    """Keeps a list while it is compared with what a manifest says."""

    def __init__(self, inner: Keeper, manifest: Manifest) -> None:
        self._inner, self._manifest = inner, manifest
        self.differing: list[str] = []

    def keep(self, files: Iterable[ListedFile]) -> Kept:
        self.differing = []
        missing = dict(self._manifest.files)

        def compared() -> Iterator[ListedFile]:
            for file in files:
                if fault := _difference(file, missing.pop(file.name, None)):
                    self.differing.append(fault)
                yield file

        kept = self._inner.keep(compared())
        self.differing += [f"{name} is not there" for name in sorted(missing)]
        return kept


def _difference(file: ListedFile, claimed: ClaimedFile | None) -> str | None:
    if claimed is None:
        return f"{file.name} is not in the manifest"
    if (file.path, file.size) != (claimed.path, claimed.size):
        return f"{file.name} is {file.path} of {file.size} bytes, not {claimed.path} of {claimed.size}"
    digest = file.checksums.get(claimed.algorithm)
    if digest is not None and digest.lower() != claimed.checksum:
        return f"{file.name} has the {claimed.algorithm.display} {digest}, not {claimed.checksum}"
    return None


def _is_at(claimed: Claimed, location: Location, bag: BagVersion) -> bool:
    here = (location.provider, location.bucket, location.bag_root(bag))
    return here == (claimed.provider, claimed.bucket, claimed.path)


def _shown(claimed: Claimed) -> str:
    return f"{claimed.provider.value}, {claimed.bucket}, {claimed.path}"


def _refused(problem: ImportProblem) -> Verdict:
    return Verdict(Adoption.REFUSED, (problem,))
