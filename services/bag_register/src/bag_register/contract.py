"""What the OpenAPI document says of the register's routes: answers, shapes and examples."""

from __future__ import annotations

from typing import Any

from bag_register import bag_contract
from bag_register import imports_contract as imports
from bag_register.digest import api as digest
from bag_register.reports import contract as reports
from common.ledger.uploads import Owner
from common.web.contract import Answer, Said
from common.web.shapes import (
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
SCHEMAS: dict[str, Any] = (
    bag_contract.SCHEMAS
    | imports.SCHEMAS
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
    | imports.OPERATIONS
    | {
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
