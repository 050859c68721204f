"""As much of RFC 8493 as is needed to say what a whole bag is. Written from the RFC, not from the services."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

_MANIFEST = re.compile(r"(tag)?manifest-([a-z0-9]+)\.txt")
_LINE = re.compile(r"([0-9A-Fa-f]+)[ \t]+\*?(.+)")
_SUPPORTED = {"md5": "md5", "sha1": "sha1", "sha224": "sha224", "sha256": "sha256", "sha384": "sha384"} | {
    "sha512": "sha512",
    "sha3256": "sha3_256",
    "sha3512": "sha3_512",
}


def manifest_names(paths: list[str]) -> list[str]:
    """Payload and tag manifests among the files at a bag's root."""
    return [path for path in paths if _MANIFEST.fullmatch(path)]


def is_tag_manifest(path: str) -> bool:
    found = _MANIFEST.fullmatch(path)
    return bool(found and found[1])


def digests(manifests: Mapping[str, bytes]) -> dict[str, dict[str, str]]:
    """Digest by algorithm by path, from the bytes of all manifests by name."""
    listed: dict[str, dict[str, str]] = {}
    for name, data in manifests.items():
        found = _MANIFEST.fullmatch(name)
        assert found, name
        for line in re.split(r"\r\n|\r|\n", data.decode("utf-8")):
            if entry := _LINE.fullmatch(line):
                listed.setdefault(_path(entry[2]), {})[found[2]] = entry[1].lower()
    return listed


def fetched(data: bytes) -> set[str]:
    """The paths that fetch.txt leaves to other places."""
    lines = re.split(r"\r\n|\r|\n", data.decode("utf-8"))
    return {_path(line.split(None, 2)[2]) for line in lines if len(line.split(None, 2)) == 3}


def mismatch(data: bytes, expected: Mapping[str, str]) -> str:
    """What is wrong with the bytes, or nothing."""
    for algorithm, digest in expected.items():
        if algorithm not in _SUPPORTED:
            return f"{algorithm} cannot be checked"
        measured = hashlib.new(_SUPPORTED[algorithm], data).hexdigest()
        if measured != digest:
            return f"{algorithm} is {measured}, the manifest has {digest}"
    return ""


def _path(written: str) -> str:
    decoded = re.sub("%(0[AaDd]|25)", lambda found: bytes.fromhex(found[1]).decode(), written)
    return decoded.removeprefix("./")
