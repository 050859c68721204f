"""What the register answers, as the wire has it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any
from urllib.parse import quote

from common.domain.fixity import Algorithm
from common.domain.location import Location
from common.domain.storage_manifest import ListedFile, info_document, location_document
from common.ledger.bag_lists import BagLine
from common.ledger.bags import BagLocation, BagRecord
from common.ledger.importing import ImportProblem, ImportRecord
from common.ledger.thawing.asking import Bill, Expected
from common.thawing.estimates import money
from common.web.answers import instant
from common.web.thaw_costs import billed_document

_BLOCK = 64 * 1024


def entity_tag(record: BagRecord) -> str:
    """Changes with the record: its revision grows with every location."""
    return f'"{quote(record.bag.path, safe="/ ")}/r{record.revision}"'


def storage_manifest(
    record: BagRecord, files: Iterable[ListedFile], more: Mapping[str, Any] | None = None
) -> Iterator[bytes]:
    """The storage manifest as JSON, in blocks, from `files` as the record store has them: payload first.

    `more`: further fields at its end.
    """
    stream = iter(files)
    held: list[ListedFile] = []
    payload = _until_tag(stream, held)
    pieces = chain(
        (_opened(_head(record)), b',"manifest":'),
        _manifest(payload, record.algorithm),
        (b',"tagManifest":',),
        _manifest(chain(_drain(held), stream), record.algorithm),
        (b",", _dumped(_places(record) | dict(more or {}))[1:]),
    )
    return _blocks(pieces)


def _until_tag(files: Iterator[ListedFile], held: list[ListedFile]) -> Iterator[ListedFile]:
    """The payload files; the first tag file is put into `held`."""
    for file in files:
        if file.tag:
            held.append(file)
            return
        yield file


def _drain(held: list[ListedFile]) -> Iterator[ListedFile]:
    yield from held


def _manifest(files: Iterable[ListedFile], algorithm: Algorithm) -> Iterator[bytes]:
    yield b'{"checksumAlgorithm":' + _dumped(algorithm.display) + b',"files":['
    separator = b""
    for file in files:
        yield separator + _dumped(file.document(algorithm))
        separator = b","
    yield b'],"type":"BagManifest"}'


def _head(record: BagRecord) -> dict[str, Any]:
    return {
        "id": record.bag.bag_path,
        "type": "Bag",
        "version": str(record.bag.version),
        "createdDate": record.created_text or instant(record.created_date),
        **_dependence(map(str, record.depends_on)),
        "space": {"id": record.bag.space.value, "type": "Space"},
        "info": info_document(record.info, external_identifier=record.bag.external_identifier.value),
    }


def _places(record: BagRecord) -> dict[str, Any]:
    copies = [(copy, _place(record, copy)) for copy in record.locations]
    return {
        "location": next(document for copy, document in copies if copy.primary),
        "replicaLocations": [document for copy, document in copies if not copy.primary],
    }


def _place(record: BagRecord, copy: BagLocation) -> dict[str, Any]:
    """A copy, and the names that it does not hold as they are."""
    document = location_document(copy.location, path=copy.location.bag_root(record.bag))
    document |= {"evidence": copy.evidence_class.value}
    if not copy.mapped:
        return document
    names = [{"name": each.name, "path": each.path, "type": "MappedName"} for each in copy.mapped]
    return {**document, "mappedNames": names}


def _opened(document: dict[str, Any]) -> bytes:
    return _dumped(document)[:-1]


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Joined, so that a million files do not make a million writes."""
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) >= _BLOCK:
            yield bytes(held)
            held.clear()
    yield bytes(held)


def result_list(results: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"type": "ResultList", "results": list(results), **more}


def version_document(bag_path: str, line: BagLine) -> dict[str, Any]:
    """One of a bag's versions. A date that was taken over stays as it is."""
    return {
        "id": bag_path,
        "version": str(line.bag.version),
        "createdDate": line.created_text or instant(line.created_date),
        **copies_of(line),
        "type": "Bag",
    }


def copies_of(line: BagLine) -> dict[str, Any]:
    """Where a version lies and what each copy rests on; and the versions whose files it needs, where it does."""
    copies = zip(line.locations, line.evidence, strict=True)
    places = [{"id": place, "evidence": evidence, "type": "Location"} for place, evidence in copies]
    return {"locations": places, **_dependence(f"v{number}" for number in line.depends_on)}


def _dependence(versions: Iterable[str]) -> dict[str, Any]:
    needed = list(versions)
    return {"dependsOn": needed} if needed else {}


def public_location(location: Location) -> dict[str, Any]:
    """The facts of a location that are nobody's secret."""
    return {
        "id": location.id.value,
        "title": location.name,
        "provider": {"id": location.provider.value, "type": "Provider"},
        "bucket": location.bucket,
        "prefix": location.prefix,
        "type": "Location",
    }


def import_document(
    record: ImportRecord, problems: Sequence[tuple[int, ImportProblem]] = (), *, more: bool = False
) -> dict[str, Any]:
    """`more`: whether there are problems behind these; then `next` is what to send as ?after=."""
    document = {
        "id": str(record.id),
        "type": "Import",
        "location": {"id": record.location_id, "type": "Location"},
        "prefix": record.prefix,
        "state": record.state.value,
        "register": record.registers,
        "counts": {"registered": record.registered, "known": record.known, "refused": record.refused},
        "parts": record.parts,
        "waitingForThaw": record.thawing,
        "error": _error(record),
        "problems": [_problem(problem) for _, problem in problems],
        "next": str(problems[-1][0]) if more else None,
        "createdDate": instant(record.created_at),
        "finishedDate": instant(record.finished_at) if record.finished_at else None,
    }
    return {name: value for name, value in document.items() if value is not None}


def thawing_document(expected: Expected, bills: Sequence[Bill], currency: str | None) -> dict[str, Any]:
    """What was found frozen and priced, beside what was really asked for. `currency`: where no bill tells it."""
    return {
        "type": "ImportThawing",
        "estimate": {
            "parts": expected.parts,
            "objects": expected.objects,
            "bytes": expected.bytes,
            "currency": bills[0].currency if bills else currency,
            "total": money(expected.cost),
        },
        "actual": billed_document(bills),
    }


def _error(record: ImportRecord) -> dict[str, Any] | None:
    if record.error_code is None:
        return None
    return {"code": record.error_code, "description": record.last_error or "", "type": "ImportError"}


def _problem(problem: ImportProblem) -> dict[str, Any]:
    return {
        "bag": problem.bag_path,
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "type": "ImportProblem",
    }
