"""A report as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from bag_register.evidence_report.reading import Copy, Front, Report
from common.ledger.proofs import Proof
from common.web.answers import instant

COLUMNS = (
    "space",
    "external_identifier",
    "version",
    "location",
    "provider",
    "account",
    "bucket",
    "storage_class",
    "copy_evidence_class",
    "copy_verdict",
    "registered_date",
    "path",
    "key",
    "version_id",
    "etag",
    "bytes",
    "outcome",
    "evidence_class",
    "expected",
    "measured",
    "reason",
    "reads",
    "started_date",
    "ended_date",
    "worker",
    "build",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(report: Report) -> Iterator[str]:
    """One document, written piece by piece."""
    yield json.dumps(_front(report.front), ensure_ascii=False)[:-1] + ', "copies": ['
    for number, copy in enumerate(report.copies):
        yield (",\n" if number else "\n") + json.dumps(_copy(copy), ensure_ascii=False)[:-1] + ', "files": ['
        for place, proof in enumerate(copy.files):
            yield (",\n" if place else "\n") + json.dumps(_file(proof), ensure_ascii=False)
        yield "]}"
    yield "]}\n"


def as_csv(report: Report) -> Iterator[str]:
    """A line for each file, and one for a copy that nobody read. Cells that a spreadsheet would run are quoted."""
    yield _line(COLUMNS)
    for copy in report.copies:
        facts, bag = copy.facts, copy.facts.bag
        about = (bag.space.value, bag.external_identifier.value, str(bag.version), facts.location_id, facts.provider)
        there = (copy.place.get("account"), facts.bucket, copy.place.get("storageClass"), facts.evidence_class)
        first = (*about, *there, facts.verdict, instant(facts.registered_at))
        read = False
        for proof in copy.files:
            read = True
            yield _line((*first, *_cells(proof)))
        if not read:
            yield _line((*first, *[None] * (len(COLUMNS) - len(first))))


def digests(found: Any) -> str:
    """As "sha256:… md5:…"."""
    return " ".join(f"{name}:{digest}" for name, digest in sorted(found.items()))


def _cells(proof: Proof) -> tuple[object, ...]:
    named = (proof.path, proof.key, proof.version_id, proof.etag, proof.bytes, proof.outcome, proof.evidence_class)
    times = (instant(proof.started_at), instant(proof.ended_at))
    return (
        *named,
        digests(proof.expected),
        digests(proof.measured),
        proof.reason,
        proof.reads,
        *times,
        proof.worker,
        proof.build,
    )


def _line(cells: tuple[object, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([_cell(cell) for cell in cells])
    return text.getvalue()


def _cell(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _front(front: Front) -> dict[str, Any]:
    last = front.checkpoint
    document: dict[str, Any] = {
        "type": "EvidenceReport",
        "scope": front.scope.name,
        "createdDate": instant(front.at),
        "chain": {"sealed": front.head.seq, "hash": front.head.hash.hex()},
    }
    if last:
        document["checkpoint"] = {"sealed": last.seq, "hash": last.hash, "createdDate": instant(last.created_at)}
    return document


def _copy(copy: Copy) -> dict[str, Any]:
    facts = copy.facts
    document = {
        "space": facts.bag.space.value,
        "externalIdentifier": facts.bag.external_identifier.value,
        "version": str(facts.bag.version),
        "location": facts.location_id,
        "provider": facts.provider,
        "bucket": facts.bucket,
        "root": facts.root,
        **copy.place,
        "role": facts.role,
        "evidenceClass": facts.evidence_class,
        "fileCount": facts.files,
        "bytes": facts.bytes,
        "registeredDate": instant(facts.registered_at),
        "verdict": facts.verdict,
        "checkedDate": instant(facts.checked_at) if facts.checked_at else None,
        "checks": [
            {"id": check["id"], "date": instant(check["created_at"]), "verdict": check["verdict"], "why": check["why"]}
            for check in copy.checks
        ],
    }
    return {name: value for name, value in document.items() if value is not None}


def _file(proof: Proof) -> dict[str, Any]:
    document = {
        "path": proof.path,
        "key": proof.key,
        "versionId": proof.version_id,
        "etag": proof.etag,
        "bytes": proof.bytes,
        "outcome": proof.outcome,
        "evidenceClass": proof.evidence_class,
        "expected": dict(proof.expected),
        "measured": dict(proof.measured),
        "reason": proof.reason or None,
        "reads": proof.reads,
        "startedDate": instant(proof.started_at),
        "endedDate": instant(proof.ended_at),
        "worker": proof.worker,
        "build": proof.build,
    }
    return {name: value for name, value in document.items() if value is not None}
