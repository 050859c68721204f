"""What BagIt and the policy say about each path of a bag. Pure: one Known in, its problems out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from common.domain.bagit import fetch
from common.domain.bagit.joined import Known, Repeat
from common.domain.bagit.names import (
    PAYLOAD,
    Manifest,
    ManifestKind,
    is_directory_marker,
    is_system_file,
    is_tag_manifest,
)
from common.domain.bagit.paths import control_fault, path_fault
from common.domain.bagit.policy import Policy
from common.domain.problem import Problem, Severity, bag_problem, shown

_NORMALISATION = "bag_normalisation_differs"


@dataclass(frozen=True, slots=True)
class Checks:
    """The rules for one bag. `strict`: BagIt 1.0 and later."""

    manifests: Sequence[Manifest]
    policy: Policy
    strict: bool

    def of_bag(self) -> Iterator[Problem]:
        """What can be said from the manifests' names alone."""
        if not self._of_kind(ManifestKind.PAYLOAD):
            yield bag_problem("bag_payload_manifest_missing", "the bag has no payload manifest")
        if not self._of_kind(ManifestKind.TAG):
            severity = self.policy.unreferenced_tag_files
            yield bag_problem("bag_tag_manifest_missing", "the bag has no tag manifest", severity=severity)
        for kind in ManifestKind:
            names = [self.manifests[n].name for n in self._of_kind(kind)]
            if names and all(self.manifests[n].algorithm.weak for n in self._of_kind(kind)):
                yield self._weak(f"only {', '.join(names)} protect{'s' * (len(names) == 1)} the {kind} files")

    def of_path(self) -> Callable[[Known], Iterator[Problem]]:
        """The check of one path, with all that is the same for every path worked out once."""
        payload, tag = self._of_kind(ManifestKind.PAYLOAD), self._of_kind(ManifestKind.TAG)
        mixed = any(self.manifests[n].algorithm.weak for n in payload) and self._some_strong(payload)

        def check(known: Known) -> Iterator[Problem]:
            if known.path.startswith(PAYLOAD):
                complete = known.listed and len(known.listed) == len(payload)
                if complete and known.entry and not (known.repeats or known.how or known.fetches):
                    pass  # The path nearly every file takes.
                else:
                    yield from self._payload(known, payload, mixed=mixed)
                if is_system_file(known.path):
                    yield bag_problem("bag_system_file", "left behind by an operating system", path=known.path)
            else:
                yield from self._tag(known, tag)

        return check

    def _payload(self, known: Known, payload: list[int], *, mixed: bool) -> Iterator[Problem]:
        if known.listed:
            yield from self._listed(known)
            yield from self._in_every_manifest(known, payload)
            if mixed and not self._some_strong(known.listed):
                yield self._weak("is in manifests with MD5 or SHA-1 only", path=known.path)
        elif known.entry:
            yield self._unlisted(known, "bag_file_unlisted", "is in no payload manifest")
        yield from _fetch(known)

    def _tag(self, known: Known, tag: list[int]) -> Iterator[Problem]:
        if is_tag_manifest(known.path):
            return
        yield from self._listed(known)
        protecting = [self.manifests[n].name for n in tag if n not in known.listed]
        if any(m.name == known.path and m.kind is ManifestKind.PAYLOAD for m in self.manifests):
            for name in protecting:
                yield bag_problem("bag_payload_manifest_unprotected", f"is not listed in {name}", path=known.path)
        elif known.entry and not known.listed:
            yield from self._unreferenced(known, tag)

    def _unreferenced(self, known: Known, tag: list[int]) -> Iterator[Problem]:
        """A tag file that no manifest names: neither has its path been looked at."""
        if tag:
            severity = self.policy.unreferenced_tag_files
            yield self._unlisted(known, "bag_file_unreferenced", "is in no tag manifest", severity=severity)
        windows = self.policy.refuse_windows_names
        fault = control_fault(known.path) or path_fault(known.path.removesuffix("/") or "/", windows=windows)
        if known.path and fault:
            yield bag_problem("bag_path_unsafe", f"the name {fault}", path=known.path)

    def _listed(self, known: Known) -> Iterator[Problem]:
        if known.listed and not known.entry and not known.url:
            names = ", ".join(self.manifests[n].name for n in known.listed)
            yield bag_problem("bag_file_absent", f"is listed in {names} and not in the store", path=known.path)
        if known.how and known.entry:
            what = f"the manifest spells it {known.spelled!a}, the store {known.path!a}"
            yield bag_problem(known.how, what, path=known.path)
        for repeat in known.repeats:
            yield self._repeated(known, repeat)

    def _repeated(self, known: Known, repeat: Repeat) -> Problem:
        name = self.manifests[repeat.manifest].name
        where = f"{name}, line {repeat.line}, lists it again"
        if not repeat.same_spelling and known.how == _NORMALISATION:
            return bag_problem("bag_normalisation_twins", f"{where} in another normalisation form", path=known.path)
        if not repeat.same_digest:
            return bag_problem("bag_conflicting_entry", f"{where} with another checksum", path=known.path)
        severity = Severity.ERROR if self.strict else Severity.WARNING
        return bag_problem("bag_duplicate_entry", where, path=known.path, severity=severity)

    def _in_every_manifest(self, known: Known, payload: list[int]) -> Iterator[Problem]:
        missing = [self.manifests[n].name for n in payload if n not in known.listed]
        if self.strict and missing:
            what = f"is not listed in {', '.join(missing)}"
            yield bag_problem("bag_not_in_every_manifest", what, path=known.path)

    def _unlisted(self, known: Known, code: str, what: str, *, severity: Severity | None = None) -> Problem:
        if known.entry and is_directory_marker(known.path, known.entry.size):
            return bag_problem("bag_directory_marker", "stands for a directory", path=known.path)
        return bag_problem(code, what, path=known.path, severity=severity)

    def _weak(self, what: str, *, path: str | None = None) -> Problem:
        return bag_problem("bag_weak_checksums", what, path=path, severity=self.policy.weak_checksums)

    def _of_kind(self, kind: ManifestKind) -> list[int]:
        return [n for n, manifest in enumerate(self.manifests) if manifest.kind is kind]

    def _some_strong(self, numbers: Sequence[int] | dict[int, tuple[bytes, str | None]]) -> bool:
        return any(not self.manifests[n].algorithm.weak for n in numbers)


def _fetch(known: Known) -> Iterator[Problem]:
    if not known.fetches:
        return
    where = f"{fetch.NAME}, line {known.fetch_line},"
    if known.fetches > 1:
        yield bag_problem("bag_fetch_duplicate", f"{fetch.NAME} lists it {known.fetches} times", path=known.path)
    if not known.listed:
        yield bag_problem("bag_fetch_unlisted", f"{where} lists it, no payload manifest does", path=known.path)
    if known.entry:
        what = f"{where} lists it as lying at {shown(known.url or '')}, and the store has it"
        yield bag_problem("bag_fetch_present", what, path=known.path)
