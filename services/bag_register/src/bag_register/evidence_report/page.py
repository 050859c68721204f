"""A report as one HTML page that can be printed: no script, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any

from bag_register.evidence_report.reading import Copy, Front, Report
from common.ledger.proofs import Proof
from common.wording import count, size

_CLASSES = {
    "E0": "listed: the store lists objects of these names",
    "E1": "sized: names and sizes agree with the manifests",
    "E2": "digest of the provider: the provider computed it, and it agrees",
    "E3": "read back: every byte was read and hashed by us, and agrees",
    "E4": "restored: read somewhere else after a restore",
}
_STYLE = """
:root { --line: #c9cdd2; --soft: #5b6570; --bad: #a3142b; --good: #1c6b3c; --shade: #f4f6f8; }
* { box-sizing: border-box; }
body { font: 10pt/1.45 "Source Sans 3", "Helvetica Neue", Arial, sans-serif; color: #16191d; margin: 2.2rem auto;
  max-width: 78rem; padding: 0 1.5rem; }
h1 { font-size: 19pt; margin: 0 0 .2rem; } h2 { font-size: 13pt; margin: 2rem 0 .4rem; }
p, dl { margin: .4rem 0; } .soft { color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; } dt { color: var(--soft); }
dd { margin: 0; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0; font-size: 8.5pt; table-layout: fixed; }
th, td { text-align: left; vertical-align: top; padding: .28rem .5rem; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
th { background: var(--shade); font-weight: 600; border-bottom: 1.5px solid #8b949e; }
td.n, th.n { text-align: right; white-space: nowrap; }
code { font: 7.5pt/1.35 "Source Code Pro", Consolas, monospace; unicode-bidi: isolate; }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 700; }
section { border-top: 3px solid #16191d; margin-top: 2rem; }
@page { size: A4 landscape; margin: 14mm 12mm; }
@media print {
  body { margin: 0; padding: 0; max-width: none; font-size: 9pt; }
  table { font-size: 7.5pt; } code { font-size: 6.5pt; }
  thead { display: table-header-group; } tr, dl { break-inside: avoid; } h2 { break-after: avoid; }
  th { -webkit-print-color-adjust: exact; print-color-adjust: exact; } section { break-before: page; }
}
"""
_FILES = (
    '<table><colgroup><col style="width:21%"><col style="width:6%"><col style="width:7%"><col style="width:29%">'
    '<col style="width:13%"><col style="width:11%"><col style="width:13%"></colgroup><thead><tr><th>File</th>'
    '<th class="n">Bytes</th><th>Outcome</th><th>Expected and measured</th><th>Object that was read</th>'
    "<th>Read</th><th>By</th></tr></thead><tbody>\n"
)


def as_html(report: Report) -> Iterator[str]:
    """Piece by piece; what strangers wrote is escaped, and cannot turn the text around it."""
    yield from _head(report.front)
    for copy in report.copies:
        yield from _section(copy)
    yield "</body></html>\n"


def _head(front: Front) -> Iterator[str]:
    title = f"Evidence for {front.scope.name}"
    yield f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
    yield f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
    yield f"<h1>{escape(title)}</h1><p class=soft>Made by Backfill on {_moment(front.at)}.</p>\n"
    last = front.checkpoint
    told = f"link {last.seq:,}, <code>{last.hash}</code>, {_moment(last.created_at)}" if last else "none yet"
    yield "<dl><dt>Chain of evidence</dt>"
    yield f"<dd>{front.head.seq:,} rows sealed, head <code>{front.head.hash.hex()}</code></dd>"
    yield f"<dt>Last checkpoint</dt><dd>{told}</dd></dl>\n"
    yield "<table><thead><tr><th>Location</th><th>Evidence</th><th>Last check</th>"
    yield '<th class="n">Copies</th><th class="n">Files</th><th class="n">Bytes</th></tr></thead><tbody>\n'
    for row in front.counts:
        yield _count(row)
    yield "</tbody></table>\n<p class=soft>"
    yield "; ".join(f"<b>{name}</b> {escape(said)}" for name, said in _CLASSES.items())
    yield ".</p>\n"


def _count(row: Mapping[str, Any]) -> str:
    named = f"<td>{escape(row['location_id'])}</td><td>{row['evidence_class']}</td><td>{_verdict(row['verdict'])}</td>"
    numbers = "".join(f'<td class="n">{row[name]:,}</td>' for name in ("copies", "files", "bytes"))
    return f"<tr>{named}{numbers}</tr>\n"


def _section(copy: Copy) -> Iterator[str]:
    facts = copy.facts
    yield f"<section><h2><bdi>{_shown(facts.bag.path)}</bdi> at {escape(facts.location_id)}</h2><dl>"
    for name, value in _facts(copy).items():
        yield f"<dt>{name}</dt><dd>{value}</dd>"
    yield "</dl>\n"
    if copy.checks:
        yield "<p>Read again: " + "; ".join(map(_check, copy.checks)) + ".</p>\n"
    first = next(copy.files, None)
    if first is None:
        yield "<p>No file of this copy was read yet: it was registered where it lay.</p></section>\n"
        return
    yield _FILES + _file(first)
    for proof in copy.files:
        yield _file(proof)
    yield "</tbody></table></section>\n"


def _facts(copy: Copy) -> dict[str, str]:
    facts = copy.facts
    where = [facts.provider, copy.place.get("account", ""), f"{facts.bucket}/{facts.root}"]
    found = {
        "Lies at": escape(" · ".join(part for part in where if part)),
        "Storage class": escape(copy.place.get("storageClass", "")),
        "Holds": f"{count(facts.files, 'file')}, {size(facts.bytes)}",
        "Registered": f"{_moment(facts.registered_at)}, as {escape(facts.role)}",
        "Evidence": f"<b>{facts.evidence_class}</b> {escape(_CLASSES.get(facts.evidence_class, ''))}",
        "Last check": f"{_verdict(facts.verdict)} {_moment(facts.checked_at)}" if facts.checked_at else "",
    }
    return {name: value for name, value in found.items() if value}


def _check(check: Mapping[str, Any]) -> str:
    why = f" ({_shown(check['why'])})" if check["why"] else ""
    return f"{_moment(check['created_at'])} {_verdict(check['verdict'] or check['state'])}{why}"


def _file(proof: Proof) -> str:
    cells = (
        f"<td><bdi>{_shown(proof.path)}</bdi></td>",
        f'<td class="n">{proof.bytes:,}</td>',
        f"<td>{_outcome(proof)}<br>{proof.evidence_class}</td>",
        f"<td>{_digests(proof)}</td>",
        f"<td><code>{escape(proof.version_id or proof.etag or '')}</code></td>",
        f"<td>{_moment(proof.ended_at)}</td>",
        f"<td>{escape(proof.build)}<br><span class=soft>{escape(proof.worker)}</span></td>",
    )
    return f"<tr>{''.join(cells)}</tr>\n"


def _outcome(proof: Proof) -> str:
    good = proof.outcome == "match"
    again = f"<br><span class=soft>at read {proof.reads}</span>" if proof.reads > 1 else ""
    return f'<span class="{"good" if good else "bad"}">{"✓" if good else "✗"} {escape(proof.outcome)}</span>{again}'


def _digests(proof: Proof) -> str:
    lines = []
    for name, expected in sorted(proof.expected.items()):
        measured = proof.measured.get(name)
        if measured == expected:
            lines.append(f"{escape(name)} <code>{escape(expected)}</code>")
        else:
            lines.append(f"{escape(name)} expected <code>{escape(expected)}</code>")
            lines.append(f"<span class=bad>measured <code>{escape(measured or 'nothing')}</code></span>")
    # What the digests show already is not said a second time.
    said = proof.reason and not any(digest in proof.reason for digest in proof.measured.values())
    reason = [f"<span class=soft>{_shown(proof.reason)}</span>"] if said else []
    return "<br>".join(lines + reason)


def _shown(text: str) -> str:
    """What strangers wrote, escaped; characters that cannot be seen, or turn the text around them, by their number."""
    return escape("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text))


def _verdict(verdict: str | None) -> str:
    kind = {"good": "good", "bad": "bad"}.get(verdict or "", "soft")
    return f'<span class="{kind}">{escape(verdict or "not yet")}</span>'


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
