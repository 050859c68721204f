"""bagit.txt: which BagIt this is, and in which encoding the other tag files are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from common.domain.bagit.encodings import UTF_8, TagEncoding, tag_encoding
from common.domain.bagit.lines import Blocks, Report, TextLimits, read_lines
from common.domain.problem import Problem, bag_problem, shown

NAME = "bagit.txt"
_LIMITS = TextLimits(max_line=1000, max_file=1000)
_LABELS = ("BagIt-Version", "Tag-File-Character-Encoding")
_RELAXED = re.compile(r"([A-Za-z-]+)[ \t]*:[ \t]*(.*?)[ \t]*")
_STRICT = re.compile(r"([A-Za-z-]+): ([^ \t]+)")
_NUMBER = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})")


@dataclass(frozen=True, slots=True, order=True)
class BagitVersion:
    """A version of the BagIt specification."""

    major: int
    minor: int

    @property
    def strict(self) -> bool:
        """True from 1.0: white space counts, percent signs are encoded, every manifest lists every file."""
        return self.major >= 1

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


SUPPORTED = frozenset({*(BagitVersion(0, minor) for minor in range(93, 98)), BagitVersion(1, 0)})


@dataclass(frozen=True, slots=True)
class Declaration:
    """What bagit.txt says."""

    version: BagitVersion
    encoding: TagEncoding


def read_declaration(blocks: Blocks, *, report: Report) -> Declaration | None:
    """The declaration; None after at least one problem was reported."""
    faults: list[Problem] = []
    lines = read_lines(blocks, name=NAME, encoding=UTF_8, limits=_LIMITS, report=faults.append)
    first = [text for _, text in islice(lines, 3)]
    if not faults and len(first) != 2:
        found = "more than two lines" if len(first) > 2 else f"{len(first)} of two lines"
        faults.append(bag_problem("bag_declaration_malformed", f"has {found}", path=NAME))
    declaration = None if faults else _interpret(first, faults.append)
    for problem in faults:
        report(problem)
    return declaration


def _interpret(lines: list[str], report: Report) -> Declaration | None:
    values = [_value(text, number=i + 1, report=report) for i, text in enumerate(lines)]
    if values[0] is None or values[1] is None:
        return None
    version, encoding = _version(values[0], report), _encoding(values[1], report)
    if not version or not encoding:
        return None
    if version.strict and not all(_STRICT.fullmatch(text) for text in lines):
        what = f"white space is not as version {version} prescribes it in {lines!r}"
        report(bag_problem("bag_declaration_malformed", what, path=NAME))
        return None
    return Declaration(version, encoding)


def _value(text: str, *, number: int, report: Report) -> str | None:
    found = _RELAXED.fullmatch(text)
    label = _LABELS[number - 1]
    if found and found.group(1) == label:
        return found.group(2)
    what = f"is {shown(text)} and not '{label}: …'"
    report(bag_problem("bag_declaration_malformed", what, path=NAME, line=number))
    return None


def _version(text: str, report: Report) -> BagitVersion | None:
    found = _NUMBER.fullmatch(text)
    if not found:
        report(bag_problem("bag_declaration_malformed", f"the version {shown(text)} is not M.N", path=NAME, line=1))
        return None
    version = BagitVersion(int(found.group(1)), int(found.group(2)))
    if version not in SUPPORTED:
        report(bag_problem("bag_version_unsupported", f"the version is {version}", path=NAME, line=1))
        return None
    return version


def _encoding(text: str, report: Report) -> TagEncoding | None:
    encoding = tag_encoding(text)
    if not encoding:
        report(bag_problem("bag_encoding_unsupported", f"the encoding is {shown(text)}", path=NAME, line=2))
    return encoding
