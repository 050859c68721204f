"""Lists of bag versions as CSV: what reports write, campaigns read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from common.web.answers import Refused
from ingests_api.campaigns.request import checked_name

MOST_BYTES = 64 << 20
MOST_LINES = 1_000_000
_MOST_TOLD = 10
_WIDEST = 64 * 1024


def read_list(data: bytes) -> list[tuple[str, str, int | None]]:
    """Space, identifier and version of each line; None: every version.

    The first line names the columns: space, external_identifier (or externalIdentifier) and, if wanted, version;
    others are ignored, so that the report of an earlier run can be sent back. Raises Refused (400), which names the
    lines at fault.
    """
    names, faults = [], []
    for number, row in _rows(data):
        try:
            names.append(checked_name(row["space"], row["identifier"], row["version"]))
        except ValueError as error:
            faults.append(f"line {number}: {error}")
        if len(names) > MOST_LINES:
            raise Refused(413, f"The list has more than {MOST_LINES:,} lines. Send it in parts.")
    if faults:
        more = f"\nand {len(faults) - _MOST_TOLD} more" if len(faults) > _MOST_TOLD else ""
        raise Refused(400, "Invalid list:\n" + "\n".join(faults[:_MOST_TOLD]) + more)
    if not names:
        raise Refused(400, "Invalid list: it names no bag. Write one bag version on each line below the column names.")
    return names


def _rows(data: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        reader = csv.reader(_lines(data.decode("utf-8-sig")), strict=True)
        header = [name.strip() for name in next(reader, [])]
        at = _columns(header)
        for row in reader:
            if row:
                yield reader.line_num, {name: row[place] if place < len(row) else "" for name, place in at.items()}
    except UnicodeDecodeError as error:
        raise Refused(400, f"Invalid list: the text is not UTF-8 (byte {error.start + 1}).") from None
    except csv.Error as error:
        raise Refused(400, f"Invalid list: line {reader.line_num}: {error}.") from None


def _lines(text: str) -> Iterable[str]:
    for line in io.StringIO(text, newline=""):
        if len(line) > _WIDEST:
            raise Refused(400, f"Invalid list: a line has more than {_WIDEST:,} characters.")
        yield line


def _columns(header: list[str]) -> dict[str, int]:
    wanted = {
        "space": ("space",),
        "identifier": ("external_identifier", "externalIdentifier"),
        "version": ("version",),
    }
    found = {
        name: next((header.index(title) for title in titles if title in header), None)
        for name, titles in wanted.items()
    }
    lacking = [titles[0] for name, titles in wanted.items() if found[name] is None and name != "version"]
    if lacking:
        raise Refused(
            400,
            f"Invalid list: the first line must name the columns; {' and '.join(lacking)} missing "
            f"(got: {', '.join(header)[:200] or 'nothing'}).",
        )
    return {name: len(header) if place is None else place for name, place in found.items()}
