"""Storage manifests of the Wellcome storage service, as its API shows them or as it stores them: one object each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from common.domain.bag import BagVersion, Version
from common.domain.fixity import Algorithm
from common.domain.location import Provider

_PROVIDERS = {
    "amazon-s3": Provider.AMAZON_S3,
    "aws-s3-standard": Provider.AMAZON_S3,
    "aws-s3-ia": Provider.AMAZON_S3,
    "aws-s3-glacier": Provider.AMAZON_S3,
    "azure-blob-storage": Provider.AZURE_BLOB,
    "local": Provider.LOCAL,
    "memory": Provider.MEMORY,
}


class NotAManifest(ValueError):
    """The object is no storage manifest; the message says why."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A place where a manifest says that the bag lies."""

    provider: Provider
    bucket: str
    path: str
    """Of all versions, without a slash at the end."""


@dataclass(frozen=True, slots=True)
class ClaimedFile:
    """A file as a manifest has it."""

    path: str
    """Below the bag's root: "v1/data/a.tif"."""
    size: int
    checksum: str
    algorithm: Algorithm


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a storage manifest says of a bag version."""

    bag: BagVersion
    created: str
    """Exactly as it is written."""
    ingest_id: UUID | None
    primary: Claimed
    replicas: tuple[Claimed, ...]
    files: Mapping[str, ClaimedFile] = field(default_factory=dict)
    """By name, tag files included."""


def read_manifest(data: bytes | memoryview) -> Manifest:
    """Raises NotAManifest."""
    try:
        return _read(json.loads(bytes(data)))
    except NotAManifest:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NotAManifest(f"{type(error).__name__}: {error}") from None


def _read(document: dict[str, Any]) -> Manifest:
    space = document["space"]
    version = document["version"]
    number = version if isinstance(version, int) else Version.parse(version).number
    identifier = document["info"]["externalIdentifier"]
    created = document["createdDate"]
    if datetime.fromisoformat(created).tzinfo is None:
        raise NotAManifest(f"createdDate {created!r} has no time zone")
    files = {}
    for part in ("manifest", "tagManifest"):
        algorithm = _algorithm(document[part]["checksumAlgorithm"])
        for each in document[part]["files"]:
            files[str(each["name"])] = ClaimedFile(
                str(each["path"]), int(each["size"]), _digest(each["checksum"]), algorithm
            )
    return Manifest(
        bag=BagVersion.of(space["id"] if isinstance(space, dict) else space, _text(identifier), number),
        created=created,
        ingest_id=UUID(_text(document["ingestId"])) if document.get("ingestId") else None,
        primary=_claimed(document["location"]),
        replicas=tuple(_claimed(each) for each in document.get("replicaLocations", [])),
        files=files,
    )


def _text(value: Any) -> str:
    """Some encodings wrap single values."""
    return str(value["underlying"] if isinstance(value, dict) else value)


def _digest(value: Any) -> str:
    return str(value["value"] if isinstance(value, dict) else value).lower()


def _algorithm(value: Any) -> Algorithm:
    name = str(value["type"] if isinstance(value, dict) else value)
    return Algorithm(name.lower().replace("-", ""))


def _claimed(document: dict[str, Any]) -> Claimed:
    prefix = document.get("prefix")
    if prefix is None:
        return Claimed(_PROVIDERS[document["provider"]["id"]], document["bucket"], document["path"].rstrip("/"))
    if "container" in prefix:
        return Claimed(Provider.AZURE_BLOB, prefix["container"], prefix["namePrefix"].rstrip("/"))
    return Claimed(Provider.AMAZON_S3, prefix["bucket"], prefix["keyPrefix"].rstrip("/"))
