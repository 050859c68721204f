"""What the OpenAPI document says of the register's routes: answers, shapes and examples."""

from __future__ import annotations

from typing import Any

from bag_register import bag_contract
from bag_register.digest import api as digest
from bag_register.reports import contract as reports
from common.ledger.uploads import Owner
from common.web.contract import Answer, Said
from common.web.shapes import (
    COUNT,
    MOMENT,
    PROVIDERS,
    TEXT,
    items,
    listing,
    named,
    one_of,
    ref,
    shape,
    typed,
)

_DATE = "2026-01-31T09:00:00.000000Z"
_PROBLEM = typed(
    "ImportProblem", ["bag", "code", "severity", "message"], bag=TEXT, code=TEXT, severity=TEXT, message=TEXT
)
SCHEMAS: dict[str, Any] = (
    bag_contract.SCHEMAS
    | reports.SCHEMAS
    | digest.SCHEMAS
    | {
        "Location": typed(
            "Location",
            ["id", "title", "provider", "bucket", "prefix"],
            id=TEXT,
            title=TEXT,
            provider=named("Provider", PROVIDERS),
            bucket=TEXT,
            prefix=TEXT,
        ),
        "Import": typed(
            "Import",
            ["id", "location", "prefix", "state", "counts", "problems", "createdDate"],
            id=TEXT,
            location=named("Location"),
            prefix=TEXT,
            state=TEXT,
            register={"type": "boolean"},
            parts=COUNT,
            waitingForThaw=COUNT,
            counts=shape(["registered", "known", "refused"], registered=COUNT, known=COUNT, refused=COUNT),
            error=typed("ImportError", ["code", "description"], code=TEXT, description=TEXT),
            problems=items(_PROBLEM),
            next=TEXT,
            createdDate=MOMENT,
            finishedDate=MOMENT,
        ),
        "DryRun": typed(
            "DryRun",
            ["would", "location", "prefix"],
            would=one_of(["create", "join"]),
            location=named("Location"),
            prefix=TEXT,
            **{"import": TEXT},
        ),
        "UploadsReport": typed(
            "UploadsReport",
            ["location", "results"],
            location=named("Location"),
            results=items(
                typed(
                    "UnfinishedUpload",
                    ["path", "uploadId", "owner", "since"],
                    path=TEXT,
                    uploadId=TEXT,
                    owner=one_of([each.value for each in Owner]),
                    since=MOMENT,
                    abortedDate=MOMENT,
                )
            ),
            next=shape(["after", "afterUpload"], after=TEXT, afterUpload=TEXT),
        ),
    }
)
_AZURE, _COLD = {"id": "azure", "type": "Location"}, {"id": "cold", "type": "Location"}
_PLACE = {
    "id": "cold",
    "provider": {"id": "amazon-s3", "type": "Provider"},
    "bucket": "archive",
    "path": "digitised/b12345",
    "evidence": "E1",
    "type": "Location",
}
_BAG = {
    "id": "digitised/b12345",
    "type": "Bag",
    "version": "v2",
    "createdDate": _DATE,
    "dependsOn": ["v1"],
    "space": {"id": "digitised", "type": "Space"},
    "info": {"externalIdentifier": "b12345", "type": "BagInfo"},
    "manifest": {
        "checksumAlgorithm": "SHA-256",
        "files": [
            {
                "checksum": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "name": "data/b12345_0001.jp2",
                "path": "v2/data/b12345_0001.jp2",
                "size": 1048576,
                "type": "File",
            }
        ],
        "type": "BagManifest",
    },
    "tagManifest": {"checksumAlgorithm": "SHA-256", "files": [], "type": "BagManifest"},
    "location": _PLACE,
    "replicaLocations": [],
}
_LOCATION = {
    "id": "azure",
    "title": "Azure",
    "provider": {"id": "azure-blob-storage", "type": "Provider"},
    "bucket": "replicas",
    "prefix": "bags/",
    "type": "Location",
}
_IMPORT: dict[str, Any] = {
    "id": "3",
    "type": "Import",
    "location": _COLD,
    "prefix": "digitised/",
    "state": "walking",
    "register": True,
    "parts": 7,
    "waitingForThaw": 0,
    "counts": {"registered": 120, "known": 0, "refused": 0},
    "problems": [],
    "createdDate": _DATE,
}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": ["object", "null"]}


_REQUEST = shape(
    ["location"],
    location=shape(["id"], id=TEXT),
    prefix={"type": ["string", "null"]},
    register={"type": ["boolean", "null"]},
    copies={"type": ["boolean", "null"]},
    inventory=_or_null(shape(["location", "key"], location=shape(["id"], id=TEXT), key=TEXT)),
    manifests=_or_null(shape(["location"], location=shape(["id"], id=TEXT), prefix={"type": ["string", "null"]})),
)
_PROBLEMS = {"type": "string", "examples": ["bag,severity,code,message\r\n"]}
_UPLOADS = {
    "type": "UploadsReport",
    "location": _AZURE,
    "results": [
        {
            "path": "bags/digitised/b12345/v2/data/film.mkv",
            "uploadId": "2~1x",
            "owner": "abandoned",
            "since": _DATE,
            "type": "UnfinishedUpload",
        }
    ],
}
_LINE = {
    "type": "BagVersion",
    "space": {"id": "digitised", "type": "Space"},
    "externalIdentifier": "b12345",
    "version": "v2",
    "createdDate": _DATE,
    "files": 412,
    "bytes": 734003200,
    "locations": [{**_COLD, "evidence": "E1"}, {**_AZURE, "evidence": "E3"}],
    "dependsOn": ["v1"],
}
_COLUMNS = "space,external_identifier,version,created_date,files,bytes,locations,evidence,depends_on\r\n"
_LINES = {"type": "string", "examples": [_COLUMNS]}

OPERATIONS = (
    reports.OPERATIONS
    | digest.OPERATIONS
    | {
        "POST /imports": Said(
            {
                200: Answer(
                    "What a dry run has to tell",
                    ref("DryRun"),
                    {"type": "DryRun", "would": "create", "location": _COLD, "prefix": ""},
                ),
                202: Answer("Begun, or it runs", ref("Import"), _IMPORT, headers={"Location": "The import's address"}),
            },
            {"dryRun": False},
            {"location": _COLD, "prefix": "digitised/"},
            _REQUEST,
        ),
        "GET /imports/{import_id}": Said(
            {
                200: Answer(
                    "The import, or all its problems as CSV", ref("Import"), _IMPORT, more={"text/csv": _PROBLEMS}
                ),
                404: Answer("There is no such import"),
            },
            {"import_id": "3", "after": 0, "format": "json"},
        ),
        "GET /reports/uploads": Said(
            {200: Answer("A page", ref("UploadsReport"), _UPLOADS)}, {"location": "azure", "limit": 100}
        ),
        "GET /bags": Said(
            {
                200: Answer(
                    "A page, or the whole list as CSV",
                    listing("ResultList", ref("BagVersion")),
                    {"type": "ResultList", "results": [_LINE], "next": "digitised/b12345/v2"},
                    more={"text/csv": _LINES},
                )
            },
            {"space": "digitised", "limit": 100, "format": "json"},
        ),
        "GET /bags/{rest}": Said(
            {
                200: Answer(
                    "The storage manifest, or a page of its files; below …/versions the list of versions",
                    {"anyOf": [ref("StorageManifest"), ref("Versions")]},
                    _BAG,
                ),
                304: Answer("It is as the ETag given says"),
                307: Answer("It is large: a copy can be read there for an hour", headers={"Location": "Its address"}),
                404: Answer("There is no such bag, or no such version of it"),
            },
            {"rest": "digitised/b12345", "version": "v2", "filesLimit": 1000},
        ),
        "GET /locations": Said(
            {
                200: Answer(
                    "All of them",
                    listing("ResultList", ref("Location")),
                    {"type": "ResultList", "results": [_LOCATION]},
                )
            }
        ),
    }
)
