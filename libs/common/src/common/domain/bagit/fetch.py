"""fetch.txt, line by line. Nothing is fetched here, and which URLs are good is the caller's business."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from common.domain.bagit.lines import LineRefused, Report
from common.domain.bagit.names import PAYLOAD
from common.domain.bagit.paths import control_fault, path_fault, readings
from common.domain.problem import bag_problem, shown

NAME = "fetch.txt"

_LINE = re.compile(r"([^ \t]+)[ \t]+([^ \t]+)[ \t]+([^ \t].*)")
_LENGTH = re.compile(r"[0-9]{1,18}")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")


class FetchEntry(NamedTuple):
    """A payload file that lies elsewhere."""

    line: int
    path: str
    url: str
    """An absolute URL as written."""
    size: int | None
    """Bytes; None where fetch.txt has "-"."""


class FetchReader:
    """Reads the lines of fetch.txt. `strict` and `windows` as for manifests."""

    def __init__(self, *, strict: bool, windows: bool, max_entries: int, report: Report) -> None:
        self._strict = strict
        self._windows = windows
        self._max_entries = max_entries
        self._report = report

    def entries(self, lines: Iterable[tuple[int, str]]) -> Iterator[FetchEntry]:
        """The good entries in their order; every other line is reported."""
        for number, text in lines:
            if number > self._max_entries:
                self._report_line("bag_too_many_entries", f"more than {self._max_entries} entries", number)
                return
            try:
                yield self._entry(number, text)
            except LineRefused as refused:
                self._report_line(refused.code, refused.what, number)

    def _entry(self, number: int, text: str) -> FetchEntry:
        """Raises LineRefused."""
        found = _LINE.fullmatch(text)
        if not found:
            raise LineRefused("bag_fetch_line", f"{shown(text)} is not 'URL length path'")
        url, length, written = found.groups()
        if not _ABSOLUTE.fullmatch(url):
            raise LineRefused("bag_fetch_line", f"{shown(url)} is not an absolute URL")
        if length != "-" and not _LENGTH.fullmatch(length):
            raise LineRefused("bag_fetch_line", f"the length {shown(length)} is neither a number nor '-'")
        return FetchEntry(number, self._path(written), url, None if length == "-" else int(length))

    def _path(self, written: str) -> str:
        """Raises LineRefused."""
        path, _ = readings(written if self._strict else written.removeprefix("./"), strict=self._strict)
        if fault := control_fault(written) or path_fault(path, windows=self._windows):
            raise LineRefused("bag_path_unsafe", f"the path {shown(path)} {fault}")
        if not path.startswith(PAYLOAD):
            raise LineRefused("bag_fetch_scope", f"{shown(path)} is not below data/")
        return path

    def _report_line(self, code: str, what: str, line: int) -> None:
        self._report(bag_problem(code, what, path=NAME, line=line))
