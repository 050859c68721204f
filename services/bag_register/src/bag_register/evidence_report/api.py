"""GET /reports/evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from fastapi import FastAPI, Query
from fastapi.responses import Response, StreamingResponse

from bag_register.evidence_report import page, reading, tables
from bag_register.surroundings import Surroundings
from common.domain.bag import ExternalIdentifier, Space, Version
from common.ledger.evidence.exporting import Scope
from common.web.answers import Refused
from common.web.auth import Permission, needs

_FORMS = {
    "json": (tables.as_json, "application/json"),
    "csv": (tables.as_csv, "text/csv; charset=utf-8"),
    "html": (page.as_html, "text/html; charset=utf-8"),
}
_HARMLESS = "default-src 'none'; style-src 'unsafe-inline'"


def add_routes(app: FastAPI, around: Surroundings) -> None:
    """GET /reports/evidence."""

    def report(
        space: str,
        identifier: str | None = None,
        version: str | None = None,
        location: str | None = None,
        form: Literal["json", "csv", "html"] = Query(default="json", alias="format"),
    ) -> Response:
        scope = _scope(space, identifier, version, location)

        def place(location_id: str) -> Mapping[str, str]:
            return around.places.get(location_id, {})

        found = reading.read(around.engine, scope, place=place)
        if found is None:
            raise Refused(404, f"No copy of {scope.name} is registered")
        write, media_type = _FORMS[form]
        name = scope.name.replace("/", "-").replace(" ", "-").encode("ascii", "replace").decode().replace('"', "")
        headers = {"Content-Disposition": f'inline; filename="evidence-{name}.{form}"'}
        return StreamingResponse(
            write(found), media_type=media_type, headers=headers | {"Content-Security-Policy": _HARMLESS}
        )

    app.get(
        "/reports/evidence",
        summary="The evidence for a bag or a space: every copy, and the last proof of every file; also as CSV and HTML",
        dependencies=[needs(Permission.BAGS_READ)],
    )(report)


def _scope(space: str, identifier: str | None, version: str | None, location: str | None) -> Scope:
    try:
        named = ExternalIdentifier(identifier).value if identifier else None
        number = Version.parse(version).number if version else None
        return Scope(Space(space).value, named, number, location)
    except ValueError as error:
        raise Refused(400, str(error)) from None
