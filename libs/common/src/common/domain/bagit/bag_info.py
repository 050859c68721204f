"""bag-info.txt: what the maker says about the bag."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from common.domain.bagit.lines import Report
from common.domain.problem import bag_problem, shown

NAME = "bag-info.txt"
OLD_NAME = "package-info.txt"
"""Its name up to BagIt 0.95."""

_SPACE = " \t"
_OXUM = re.compile(r"([0-9]{1,19})\.([0-9]{1,19})")


@dataclass(frozen=True, slots=True)
class Oxum:
    """Payload-Oxum: the payload's size in octets and its number of files."""

    octets: int
    files: int

    def __str__(self) -> str:
        return f"{self.octets}.{self.files}"


@dataclass(frozen=True, slots=True)
class BagInfo:
    """The fields in their order; labels as written, repeated ones repeated, continued values joined by a space."""

    fields: tuple[tuple[str, str], ...] = ()
    payload_oxum: Oxum | None = None

    def values(self, label: str) -> list[str]:
        """Every value of the label, in any letter case."""
        return [value for name, value in self.fields if name.lower() == label.lower()]

    def first(self, label: str) -> str | None:
        return next(iter(self.values(label)), None)

    @property
    def external_identifier(self) -> str | None:
        return self.first("External-Identifier")

    @property
    def bagging_date(self) -> str | None:
        """As written."""
        return self.first("Bagging-Date")


@dataclass(slots=True)
class _Field:
    line: int
    label: str
    value: str


def read_bag_info(lines: Iterable[tuple[int, str]], *, name: str, strict: bool, report: Report) -> BagInfo:
    """The fields that could be read; what could not is reported. `strict`: BagIt 1.0 and later."""
    fields = list(_fields(lines, name=name, strict=strict, report=report))
    return BagInfo(tuple((field.label, field.value) for field in fields), _oxum(fields, name=name, report=report))


def _fields(lines: Iterable[tuple[int, str]], *, name: str, strict: bool, report: Report) -> Iterator[_Field]:
    """A field is complete when the next one begins; pieces of long values are gathered, then joined once."""
    field: _Field | None = None
    pieces: list[str] = []
    for number, text in lines:
        if field and text.startswith((" ", "\t")) and text.strip(_SPACE):
            pieces.append(text.strip(_SPACE))
            continue
        if field:
            field.value = " ".join(pieces)
            yield field
        field = _field(number, text, name=name, strict=strict, report=report)
        # The value may begin on the next line: "Label:" alone, then "  value".
        pieces = [field.value] if field and field.value else []
    if field:
        field.value = " ".join(pieces)
        yield field


def _field(number: int, text: str, *, name: str, strict: bool, report: Report) -> _Field | None:
    label, colon, rest = text.partition(":")
    bare, value = label.rstrip(_SPACE), rest.strip(_SPACE)
    if not colon or not bare or label.startswith((" ", "\t")):
        report(bag_problem("bag_info_malformed", f"{shown(text)} is not 'Label: value'", path=name, line=number))
        return None
    if strict and bare != label:
        what = f"white space between the label {shown(bare)} and its colon"
        report(bag_problem("bag_info_malformed", what, path=name, line=number))
        return None
    if strict and value and rest.find(value) != 1:
        report(bag_problem("bag_info_separator", f"in {shown(text)}", path=name, line=number))
    return _Field(number, bare, value)


def _oxum(fields: list[_Field], *, name: str, report: Report) -> Oxum | None:
    given = [field for field in fields if field.label.lower() == "payload-oxum"]
    for again in given[1:]:
        report(bag_problem("bag_oxum_malformed", "Payload-Oxum is given again", path=name, line=again.line))
    if len(given) != 1:
        return None
    found = _OXUM.fullmatch(given[0].value)
    if not found:
        what = f"Payload-Oxum is {shown(given[0].value)}"
        report(bag_problem("bag_oxum_malformed", what, path=name, line=given[0].line))
        return None
    return Oxum(octets=int(found.group(1)), files=int(found.group(2)))
