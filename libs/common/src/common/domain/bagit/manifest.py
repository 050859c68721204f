"""Manifests, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from common.domain.bagit.lines import LineRefused, Report
from common.domain.bagit.names import PAYLOAD, Manifest, ManifestKind, is_tag_manifest
from common.domain.bagit.paths import control_fault, path_fault, readings
from common.domain.problem import bag_problem, shown

_LINE = re.compile(r"(\\?)([0-9A-Fa-f]+)[ \t]+(\*?)([^ \t].*)")
_ESCAPED = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "r": "\r", "\\": "\\"}


class Entry(NamedTuple):
    """One file of a manifest."""

    line: int
    path: str
    digest: str
    """Lower-case hex, of the length of the manifest's algorithm."""
    other: str | None = None
    """Another reading of the path's percent signs; `path` itself where no reading is allowed (see paths.readings)."""


class ManifestReader:
    """Reads the lines of one manifest. `strict`: BagIt 1.0 and later; `windows`: refuse names only Windows minds."""

    def __init__(self, manifest: Manifest, *, strict: bool, windows: bool, max_entries: int, report: Report) -> None:
        self._manifest = manifest
        self._strict = strict
        self._windows = windows
        self._max_entries = max_entries
        self._report = report

    def entries(self, lines: Iterable[tuple[int, str]]) -> Iterator[Entry]:
        """The good entries in their order; every other line is reported."""
        plain = _plain_line(self._manifest).fullmatch
        for number, text in lines:
            if number > self._max_entries:
                self._report_line("bag_too_many_entries", f"more than {self._max_entries} entries", number)
                return
            if found := plain(text):
                yield Entry(number, found.group(2), found.group(1))
                continue
            try:
                yield self._entry(number, text)
            except LineRefused as refused:
                self._report_line(refused.code, refused.what, number)

    def _entry(self, number: int, text: str) -> Entry:
        """Raises LineRefused."""
        found = _LINE.fullmatch(text)
        if not found:
            raise LineRefused("bag_manifest_line", f"{shown(text)} is not 'checksum path'")
        escaped, digest, star, written = found.groups()
        algorithm = self._manifest.algorithm
        if len(digest) != algorithm.hex_length:
            size = f"{len(digest)} of {algorithm.hex_length} hex digits for {algorithm.display}"
            raise LineRefused("bag_digest_malformed", f"{shown(digest)} has {size}")
        if fault := control_fault(written):
            raise LineRefused("bag_path_unsafe", f"the path {shown(written)} {fault}")
        if escaped or star:
            self._report_line("bag_md5sum_form", f"the line has {' and '.join(filter(None, (escaped, star)))}", number)
        path, other = self._located(number, _unescape(written) if escaped else written)
        return Entry(number, path, digest.lower(), other)

    def _located(self, number: int, written: str) -> tuple[str, str | None]:
        """The two readings of a path, of which the first is safe and in scope. Raises LineRefused."""
        if not self._strict and written.startswith("./"):
            self._report_line("bag_dot_slash", f"the path is {shown(written)}", number)
            written = written[2:]
        path, other = readings(written, strict=self._strict)
        if fault := path_fault(path, windows=self._windows):
            raise LineRefused("bag_path_unsafe", f"the path {shown(path)} {fault}")
        if fault := _scope_fault(path, self._manifest.kind):
            raise LineRefused("bag_manifest_scope", f"{shown(path)} {fault}")
        return path, None if other and path_fault(other, windows=self._windows) else other

    def _report_line(self, code: str, what: str, line: int) -> None:
        self._report(bag_problem(code, what, path=self._manifest.name, line=line))


def _plain_line(manifest: Manifest) -> re.Pattern[str]:
    """What nearly every line of a payload manifest is: nothing to decode, nothing to refuse.

    No segment begins with a dot and none is empty; whatever does not match is looked at closely.
    """
    if manifest.kind is ManifestKind.TAG:
        return re.compile(r"(?!)")
    plain = r"\x00-\x1f\x7f-\x9f\ud800-\udfff\\%/"
    segment = rf"[^.{plain}][^{plain}]*"
    digest = rf"[0-9a-f]{{{manifest.algorithm.hex_length}}}"
    return re.compile(rf"({digest})[ \t]+({PAYLOAD}{segment}(?:/{segment})*)")


def _scope_fault(path: str, kind: ManifestKind) -> str | None:
    if kind is ManifestKind.PAYLOAD:
        return None if path.startswith(PAYLOAD) else "is not below data/"
    if path == PAYLOAD[:-1] or path.startswith(PAYLOAD):
        return "is a payload file"
    return "is a tag manifest" if is_tag_manifest(path) else None


def _unescape(written: str) -> str:
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found.group(1), found.group()), written)
