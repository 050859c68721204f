"""A bag's storage manifest: which files it has, where they lie and what they hash to.

The list of files may have millions of entries, so it is never one value: it is a stream of :class:`ListedFile`,
payload files first, tag files after them, each by name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from common.domain.bagit.bag_info import BagInfo
from common.domain.fixity import BY_STRENGTH, Algorithm, Checksums
from common.domain.location import Location

INFO_FIELDS = {
    "External-Identifier": "externalIdentifier",
    "Payload-Oxum": "payloadOxum",
    "Bagging-Date": "baggingDate",
    "Source-Organization": "sourceOrganization",
    "External-Description": "externalDescription",
    "Internal-Sender-Identifier": "internalSenderIdentifier",
    "Internal-Sender-Description": "internalSenderDescription",
}
"""bag-info.txt's label → its name on the wire."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One file of a bag version."""

    name: str
    """As the manifests write it: "data/a.tif"."""
    path: str
    """Below the bag's root: "v2/data/a.tif", or "v1/data/a.tif" for a file that an earlier version holds."""
    size: int
    checksums: dict[Algorithm, str]
    tag: bool

    def to_line(self) -> bytes:
        """One line of NDJSON."""
        facts = {
            "name": self.name,
            "path": self.path,
            "size": self.size,
            "checksums": {algorithm.value: digest for algorithm, digest in self.checksums.items()},
            "tag": self.tag,
        }
        return json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes | str) -> ListedFile:
        """Raises ValueError for a line that `to_line` never wrote."""
        try:
            return cls._of(json.loads(line))
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"not the record of a file: {type(error).__name__}: {error}") from None

    @classmethod
    def _of(cls, facts: dict[str, Any]) -> ListedFile:
        if type(facts["size"]) is not int or facts["size"] < 0 or type(facts["tag"]) is not bool:
            raise ValueError(f"size and tag are {facts['size']!r} and {facts['tag']!r}")
        for text in (facts["name"], facts["path"], *facts["checksums"].values()):
            text.encode()
        return cls(
            name=facts["name"],
            path=facts["path"],
            size=facts["size"],
            checksums={Algorithm(name): digest for name, digest in facts["checksums"].items()},
            tag=facts["tag"],
        )

    def document(self, algorithm: Algorithm) -> dict[str, Any]:
        """The file as the wire has it. Where `algorithm` did not cover it, the strongest that did is named."""
        shown = algorithm if algorithm in self.checksums else strongest(self.checksums)
        document = {
            "checksum": self.checksums.get(shown, "") if shown else "",
            "name": self.name,
            "path": self.path,
            "size": self.size,
            "type": "File",
        }
        return document if shown in (algorithm, None) else {**document, "checksumAlgorithm": shown.display}


def strongest(algorithms: Iterable[Algorithm] | Checksums) -> Algorithm | None:
    """The first of these in the order of BY_STRENGTH."""
    given = set(algorithms)
    return next((algorithm for algorithm in BY_STRENGTH if algorithm in given), None)


def shown_algorithm(*, payload: Iterable[Algorithm], tag: Iterable[Algorithm]) -> Algorithm | None:
    """Whose checksums a storage manifest shows: the strongest that covers both kinds of files, else the payload."""
    in_payload = set(payload)
    return strongest(in_payload & set(tag)) or strongest(in_payload)


def info_of(info: BagInfo) -> dict[str, str]:
    """What bag-info.txt says, under its wire names; what it does not say is left out."""
    given = {name: info.first(label) for label, name in INFO_FIELDS.items()}
    return {name: value for name, value in given.items() if value}


_INFO = (
    "payloadOxum",
    "baggingDate",
    "sourceOrganization",
    "externalDescription",
    "internalSenderIdentifier",
    "internalSenderDescription",
)


def location_document(location: Location, *, path: str) -> dict[str, Any]:
    """A location as the wire has it; `path` is the bag's root there, without its version."""
    return {
        "id": location.id.value,
        "provider": {"id": location.provider.value, "type": "Provider"},
        "bucket": location.bucket,
        "path": path,
        "type": "Location",
    }


def info_document(info: Mapping[str, Any], *, external_identifier: str) -> dict[str, Any]:
    """In the order that the storage service has; what there is nothing to say about is left out."""
    known = {"externalIdentifier": external_identifier} | {name: info[name] for name in _INFO if name in info}
    return known | {name: value for name, value in info.items() if name not in known} | {"type": "BagInfo"}
