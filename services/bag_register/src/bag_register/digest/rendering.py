"""The digest for people (Markdown, HTML) and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from bag_register.reports.coverage import coverage_document
from common.domain.coverage import CopyState, Place, health
from common.ledger.digests import Digest
from common.web.answers import instant
from common.wording import count

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:.5rem 0 1.5rem}th,td{text-align:left;padding:.25rem .8rem .25rem 0;"
    "border-bottom:1px solid #ddd;vertical-align:top}h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:1.5rem}"
    "@media print{body{margin:0;max-width:none}}"
)
Table = tuple[str, tuple[str, ...], Sequence[tuple[str, ...]]]
"""A heading, the columns and the rows."""


def document(found: Digest) -> dict[str, Any]:
    """As the wire has it."""
    return {
        "type": "Digest",
        "since": instant(found.since),
        "until": instant(found.until),
        "attention": list(_attention(found)),
        "ingests": {"succeeded": found.succeeded, "failed": dict(found.failed), "running": found.running},
        "stalled": found.stalled,
        "deadLetters": found.dead_letters,
        "campaigns": list(found.campaigns),
        "checks": dict(found.checks),
        "overdueCopies": found.overdue,
        "coverage": coverage_document(found.matrix, at=found.until),
    }


def markdown(found: Digest) -> str:
    """One page of text."""
    parts = [f"# {_title(found)}", *_sentences(found)]
    for heading, columns, rows in _tables(found):
        lines = [columns, tuple("---" for _ in columns), *rows]
        parts += [f"## {heading}", "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)]
    return "\n\n".join(parts) + "\n"


def html(found: Digest) -> str:
    """One page that loads nothing from anywhere."""
    title = escape(_title(found))
    body = [f"<h1>{title}</h1>", *(f"<p>{escape(sentence)}</p>" for sentence in _sentences(found))]
    for heading, columns, rows in _tables(found):
        head = "".join(f"<th>{escape(column)}</th>" for column in columns)
        lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
        body.append(f"<h2>{escape(heading)}</h2><table><tr>{head}</tr>{lines}</table>")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"<body>{''.join(body)}</body></html>\n"
    )


def _title(found: Digest) -> str:
    return f"Backfill, {found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M} UTC"


def _attention(found: Digest) -> Iterable[str]:
    """What waits for somebody."""
    damaged = sum(place.states[CopyState.DAMAGED].bags for place in found.matrix.places if _is_damaged(place))
    counts = (
        (damaged, "damaged copy", "damaged copies", ""),
        (sum(found.matrix.at_risk.values()), "bag version", "", " at risk (fewer than two copies, or none read back)"),
        (found.dead_letters, "dead letter", "", " that nobody has decided about"),
        (found.stalled, "copy that stands", "copies that stand", " still"),
        (sum(found.failed.values()), "ingest", "", " that failed"),
        (found.checks.get("failed", 0), "copy", "copies", " that could not be read again"),
        (found.overdue, "copy", "copies", " overdue to be read again"),
    )
    return (count(number, one, many) + what for number, one, many, what in counts if number)


def _is_damaged(place: Place) -> bool:
    return CopyState.DAMAGED in place.states


def _sentences(found: Digest) -> list[str]:
    attention = list(_attention(found))
    waits = f"Needs attention: {'; '.join(attention)}." if attention else "Nothing needs attention."
    failed = sum(found.failed.values())
    are = "is" if found.running == 1 else "are"
    did = f"{count(found.succeeded, 'ingest')} succeeded, {failed:,} failed, {found.running:,} {are} running."
    named = "Campaign that runs" if len(found.campaigns) == 1 else "Campaigns that run"
    campaigns = f"{named}: {', '.join(found.campaigns)}." if found.campaigns else "No campaign runs."
    checks = f"Copies read again: {_counts(found.checks)}." if found.checks else "No copy was read again."
    return [waits, did, campaigns, checks]


def _tables(found: Digest) -> list[Table]:
    spaces = sorted(found.matrix.bags)
    of_space = {space: [place for place in found.matrix.places if place.space == space] for space in spaces}
    standing = [
        (
            space,
            health(of_space[space], at_risk=found.matrix.at_risk.get(space, 0)).value,
            place.location + (" (required)" if place.required else ""),
            _counts({state.value: amount.bags for state, amount in place.states.items()}),
        )
        for space in spaces
        for place in of_space[space]
    ]
    tables: list[Table] = [("How every space stands", ("Space", "Health", "Location", "Bag versions"), standing)]
    if found.failed:
        rows = [(code, f"{number:,}") for code, number in found.failed.items()]
        tables.append(("What failed", ("Code", "Ingests"), rows))
    return tables


def _counts(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in numbers.items())


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
