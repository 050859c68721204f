"""GET /reports/unbackfilled: the bag versions of a location, one line each; those that it lacks if not asked else."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

from fastapi import FastAPI, Query, Response
from fastapi.responses import JSONResponse, StreamingResponse

from bag_register.reports.asked import known_location
from bag_register.surroundings import Surroundings
from common.domain.bag import BagVersion
from common.domain.coverage import Amount, CopyState
from common.domain.layout import Layout
from common.ledger.coverage.counting import Matrix, matrix, policy
from common.ledger.coverage.listing import LACKING, Asked, Line, lines, rows
from common.ledger.engine import snapshot, transaction
from common.web.answers import Refused
from common.web.auth import Permission, needs

_MOST = 1000
_STREAMED = 5000
"""Lines read in one transaction for those who want all of them: a slow reader holds none."""
COLUMNS = (
    "space", "external_identifier", "version", "state", "stage", "code", "ingest_id", "files", "bytes", "evidence",
)  # fmt: skip
_FIELDS = (
    "space", "externalIdentifier", "version", "state", "stage", "code", "ingestId", "files", "bytes", "evidence",
)  # fmt: skip
_MEDIA = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}


def add_routes(app: FastAPI, around: Surroundings) -> None:
    """GET /reports/unbackfilled."""

    def unbackfilled(
        location: str | None = None,
        space: str | None = None,
        state: list[str] = Query(default=[]),
        after: str | None = None,
        limit: int = Query(default=100, ge=1, le=_MOST),
        form: Literal["json", "csv", "ndjson"] = Query(default="json", alias="format"),
    ) -> Response:
        asked = Asked(_location(around, location), space, _states(state))
        behind = _cursor(after)
        if form == "json":
            return _page(around, asked, behind, limit)
        pages = _everything(around, asked, behind)
        headers = {"Content-Disposition": f'attachment; filename="unbackfilled-{asked.location}.{form}"'}
        written = _csv(pages) if form == "csv" else _ndjson(pages)
        return StreamingResponse(written, media_type=_MEDIA[form], headers=headers)

    app.get(
        "/reports/unbackfilled",
        summary="Bag versions that a location lacks, and why; as CSV or NDJSON all of them, without pages",
        dependencies=[needs(Permission.BAGS_READ)],
    )(unbackfilled)


def _location(around: Surroundings, wanted: str | None) -> str:
    if wanted is None:
        raise Refused(400, "Invalid value at ?location: Missing required field")
    return known_location(around, wanted)


def _states(given: list[str]) -> frozenset[CopyState]:
    """The states asked for, with spaces or hyphens in their names; those of what is lacking where none is."""
    if not given:
        return frozenset(LACKING)
    known = {state.value: state for state in CopyState}
    found = [(name, known.get(name.replace("-", " "))) for name in given]
    for name, state in found:
        if state is None:
            listed = ", ".join(known)
            raise Refused(400, f'Invalid value at ?state: got "{name}", valid values are: {listed}.')
    return frozenset(state for _, state in found if state is not None)


def _cursor(after: str | None) -> BagVersion | None:
    try:
        return None if after is None else Layout().bag_at(after)
    except ValueError:
        raise Refused(400, f'Invalid value at ?after: got "{after}", must be the "next" of the page before.') from None


def _page(around: Surroundings, asked: Asked, after: BagVersion | None, limit: int) -> JSONResponse:
    with snapshot(around.engine) as connection:
        counted = matrix(connection, space=asked.space)
        found = lines(connection, asked=asked, policy=policy(connection), after=after, limit=limit + 1)
    page = found[:limit]
    document = {
        "type": "UnbackfilledReport",
        "location": {"id": asked.location, "type": "Location"},
        "totals": _totals(counted, asked),
        "results": [_document(line) for line in page],
    }
    return JSONResponse(document | ({"next": page[-1].bag.path} if len(found) > limit else {}))


def _totals(counted: Matrix, asked: Asked) -> dict[str, int]:
    """Of the whole report, whatever the page."""
    of_state = dict.fromkeys(CopyState, Amount())
    for place in counted.places:
        if place.location == asked.location:
            of_state |= {state: of_state[state] + amount for state, amount in place.states.items()}
    whole = sum((of_state[state] for state in asked.states), Amount())
    shown = [state for state in CopyState if state in LACKING or state in asked.states]
    return {
        "bagVersions": whole.bags,
        "files": whole.files,
        "bytes": whole.bytes,
        **{name_of(state): of_state[state].bags if state in asked.states else 0 for state in shown},
    }


def name_of(state: CopyState) -> str:
    """A state as the name of a field: "inProgress"."""
    first, *rest = state.value.split(" ")
    return first + "".join(word.title() for word in rest)


def _document(line: Line) -> dict[str, Any]:
    bag, ingest = line.bag, line.ingest_id
    return _wire(
        (
            bag.space.value,
            bag.external_identifier.value,
            str(bag.version),
            line.state.value,
            line.stage,
            line.code,
            str(ingest) if ingest else None,
            line.files,
            line.bytes,
            line.evidence.value if line.evidence else None,
        )
    )


def _wire(values: Sequence[Any]) -> dict[str, Any]:
    document = {name: value for name, value in zip(_FIELDS, values, strict=True) if value is not None}
    document["type"] = "UnbackfilledBag"
    return document


def _everything(around: Surroundings, asked: Asked, after: BagVersion | None) -> Iterator[list[tuple[Any, ...]]]:
    """The values of all lines. A transaction for each part, so that a slow reader holds none."""
    while True:
        with transaction(around.engine) as connection:
            part = rows(connection, asked=asked, policy=policy(connection), after=after, limit=_STREAMED)
        if part:
            yield [_values(tuple(row)) for row in part]
        if len(part) < _STREAMED:
            return
        last = part[-1]
        after = BagVersion.of(last.space, last.external_identifier, last.version)


def _values(row: tuple[Any, ...]) -> tuple[Any, ...]:
    space, identifier, version, state, stage, code, ingest, *rest = row
    return (space, identifier, f"v{version}", state, stage, code, ingest and str(ingest), *rest)


def _csv(parts: Iterable[list[tuple[Any, ...]]]) -> Iterator[str]:
    yield _text([COLUMNS])
    for part in parts:
        yield _text(part)


def _text(lines: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(lines)
    return text.getvalue()


def _ndjson(parts: Iterable[list[tuple[Any, ...]]]) -> Iterator[str]:
    written: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for part in parts:
        yield "".join(written(_wire(values)) + "\n" for values in part)
