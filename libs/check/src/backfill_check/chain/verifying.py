"""Walks the chain from its first link to its head, in bounded memory, and names the first row that is not as sealed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from backfill_check.chain.checkpoints import Checkpoint
from backfill_check.chain.links import FIRST, TABLES, following

_BATCH = 5000
_GRACE = "1 hour"
"""What is older is sealed, or was inserted behind the sealer's back."""
_MOST = 20
_WRITTEN = {"evidence": "recorded_at", "actions": "created_at"}


@dataclass
class Report:
    """What became of the chain. `faults` begin with the first row that is not as it was sealed."""

    links: int = 0
    unsealed: int = 0
    """Rows that are younger than an hour and not sealed yet."""
    checkpoints: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not self.faults


def verify(connection: psycopg.Connection[Any], checkpoints: Sequence[Checkpoint]) -> Report:
    """Everything about the chain. The connection is only read from, in one transaction that sees one moment."""
    report = Report(checkpoints=len(checkpoints))
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    hashes = _Marks(checkpoints)
    _walk(connection, report, hashes)
    _inserted(connection, report)
    report.faults += hashes.faults(report.links)
    return report


class _Marks:
    """Holds the chain as it is now against what checkpoints say that it was."""

    def __init__(self, checkpoints: Sequence[Checkpoint]) -> None:
        self._checkpoints = checkpoints
        self._wanted = {one.seq for one in checkpoints}
        self._stored: dict[int, str] = {}

    def pass_by(self, seq: int, stored: bytes) -> None:
        if seq in self._wanted:
            self._stored[seq] = stored.hex()

    def faults(self, links: int) -> Iterator[str]:
        last = 0
        for one in self._checkpoints:
            yield from (f"checkpoint {one.name} {fault}" for fault in one.faults)
            if one.seq > links:
                yield f"checkpoint {one.name} of {one.time}: {one.seq} rows were sealed then, the chain ends at {links}"
            elif one.seq and self._stored.get(one.seq) != one.hash:
                yield (
                    f"checkpoint {one.name} of {one.time}: link {one.seq} was {one.hash} then and is"
                    f" {self._stored.get(one.seq)} now: links {last + 1} to {one.seq} were made anew"
                )
                return
            last = one.seq


def _walk(connection: psycopg.Connection[Any], report: Report, marks: _Marks) -> None:
    """Each link is held against the stored one before it, so that a changed row is one fault and not all after it."""
    before = FIRST
    while links := connection.execute(
        "SELECT seq, form, source, source_id, hash FROM evidence_chain WHERE seq > %s ORDER BY seq LIMIT %s",
        (report.links, _BATCH),
    ).fetchall():
        rows = {
            source: _rows(connection, source, [link[3] for link in links if link[2] == source]) for source in TABLES
        }
        for seq, form, source, source_id, stored in links:
            if seq != report.links + 1:
                _fault(report, f"link {report.links + 1} is missing: link {seq} comes after {report.links}")
            report.links = seq
            marks.pass_by(seq, bytes(stored))
            if told := _told(before, source, form, rows[source].get(source_id), bytes(stored)):
                _fault(report, f"link {seq}: {source} row {source_id} {told}")
            before = bytes(stored)


def _told(before: bytes, source: str, form: int, row: Mapping[str, Any] | None, stored: bytes) -> str:
    if form != 1:
        return f"was sealed in form {form}, which this release does not know"
    if row is None:
        return "was sealed and is not there"
    if following(before, source, row) == stored:
        return ""
    about = {name: row.get(name) for name in ("bag_version_id", "path", "what", "subject") if name in row}
    return f"is not as it was sealed, or the link before it is not: {about}"


def _rows(connection: psycopg.Connection[Any], source: str, ids: list[int]) -> dict[int, Mapping[str, Any]]:
    columns = sql.SQL(", ").join(map(sql.Identifier, TABLES[source].split()))
    query = sql.SQL("SELECT {} FROM {} WHERE id = ANY(%s)").format(columns, sql.Identifier(source))
    with connection.cursor(row_factory=dict_row) as cursor:
        return {row["id"]: row for row in cursor.execute(query, (ids,))}


def _inserted(connection: psycopg.Connection[Any], report: Report) -> None:
    """Rows that no link covers: young ones are sealed soon, older ones came in behind the sealer's back."""
    for source, written in _WRITTEN.items():
        query = sql.SQL(
            "SELECT s.id, s.{written} < now() - interval {grace} FROM {source} s WHERE NOT EXISTS"
            " (SELECT 1 FROM evidence_chain c WHERE c.source = {name} AND c.source_id = s.id) ORDER BY s.id"
        ).format(
            written=sql.Identifier(written),
            grace=sql.Literal(_GRACE),
            source=sql.Identifier(source),
            name=sql.Literal(source),
        )
        with connection.cursor(name=f"unsealed_{source}") as cursor:
            for row_id, old in cursor.execute(query):
                if old:
                    _fault(report, f"{source} row {row_id} is in no link: it was inserted without being sealed")
                else:
                    report.unsealed += 1


def _fault(report: Report, told: str) -> None:
    if len(report.faults) < _MOST:
        report.faults.append(told)
