"""What the OpenAPI document says of bags: their documents, versions and lines in lists."""

from __future__ import annotations

from typing import Any

from common.domain.replica import EvidenceClass
from common.web.shapes import COUNT, MOMENT, PLACE, TEXT, items, listing, named, one_of, ref, shape, typed

_EVIDENCE = one_of([evidence.value for evidence in EvidenceClass])
_COPY = typed("Location", ["id", "evidence"], id=TEXT, evidence=_EVIDENCE)
_FILE = typed("File", ["checksum", "name", "path", "size"], checksum=TEXT, name=TEXT, path=TEXT, size=COUNT)
_FILES = typed("BagManifest", ["checksumAlgorithm", "files"], checksumAlgorithm=TEXT, files=items(_FILE))
SCHEMAS: dict[str, Any] = {
    "BagPlace": {**PLACE, "properties": {**PLACE["properties"], "evidence": _EVIDENCE}},
    "StorageManifest": typed(
        "Bag",
        [
            "id",
            "version",
            "createdDate",
            "space",
            "info",
            "manifest",
            "tagManifest",
            "location",
            "replicaLocations",
        ],
        id=TEXT,
        version=TEXT,
        createdDate=MOMENT,
        dependsOn=items(TEXT),
        space=named("Space"),
        info=typed("BagInfo", ["externalIdentifier"], externalIdentifier=TEXT),
        manifest=_FILES,
        tagManifest=_FILES,
        location=ref("BagPlace"),
        replicaLocations=items(ref("BagPlace")),
        fileCount=COUNT,
        next=shape(["filesAfter", "filesLimit", "version"], filesAfter=COUNT, filesLimit=COUNT, version=TEXT),
    ),
    "Versions": listing(
        "ResultList",
        typed(
            "Bag",
            ["id", "version", "createdDate", "locations"],
            id=TEXT,
            version=TEXT,
            createdDate=MOMENT,
            locations=items(_COPY),
            dependsOn=items(TEXT),
        ),
    ),
    "BagVersion": typed(
        "BagVersion",
        ["space", "externalIdentifier", "version", "createdDate", "files", "bytes", "locations"],
        space=named("Space"),
        externalIdentifier=TEXT,
        version=TEXT,
        createdDate=MOMENT,
        files=COUNT,
        bytes=COUNT,
        locations=items(_COPY),
        dependsOn=items(TEXT),
    ),
}
