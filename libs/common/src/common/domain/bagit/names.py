"""File names at a bag's root: which of them are manifests, and for which algorithm."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from common.domain.bagit.lines import Report
from common.domain.fixity import Algorithm
from common.domain.problem import bag_problem, shown

PAYLOAD = "data/"
"""What the paths of payload files begin with."""

_MANIFEST = re.compile(r"(tag)?manifest-(.*)\.txt", re.DOTALL)
_PUNCTUATION = re.compile(r"[-_]")
_ALGORITHMS = frozenset(algorithm.value for algorithm in Algorithm)
_SYSTEM = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


class ManifestKind(StrEnum):
    PAYLOAD = "payload"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest by its file name."""

    name: str
    kind: ManifestKind
    algorithm: Algorithm


def looks_like_manifest(path: str) -> bool:
    """True for what a BagIt reader must take for a manifest, whether it knows the algorithm or not."""
    return "manifest-" in path and "/" not in path and bool(_MANIFEST.fullmatch(path))


def is_tag_manifest(path: str) -> bool:
    return path.startswith("tagmanifest-") and looks_like_manifest(path)


def is_directory_marker(path: str, size: int) -> bool:
    """True for the empty objects that some tools write to stand for a directory."""
    return size == 0 and (path == "" or path.endswith("/"))


def is_system_file(path: str) -> bool:
    """True for what operating systems leave behind."""
    return path[path.rfind("/") + 1 :] in _SYSTEM


def manifest_named(name: str, *, report: Report) -> Manifest | None:
    """The manifest of this file name; None, and an error, where its algorithm is unknown.

    Names such as manifest-SHA256.txt or manifest-sha3_256.txt, which are not normalised, are taken with a warning:
    to verify more than a maker asked for is safe, to overlook a manifest is not.
    """
    found = _MANIFEST.fullmatch(name)
    written = found.group(2) if found else ""
    normalised = _PUNCTUATION.sub("", written.lower())
    if not found or normalised not in _ALGORITHMS:
        report(bag_problem("bag_algorithm_unknown", f"can't verify the algorithm {shown(written)}", path=name))
        return None
    if normalised != written:
        report(bag_problem("bag_manifest_name", f"{shown(written)} was read as {normalised}", path=name))
    kind = ManifestKind.TAG if found.group(1) else ManifestKind.PAYLOAD
    return Manifest(name=name, kind=kind, algorithm=Algorithm(normalised))
