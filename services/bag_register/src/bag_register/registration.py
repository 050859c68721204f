"""Whether a replica may enter the bag's record. Pure.

Invariant: the manifests that were copied and verified are the ones that the bag was registered with. A bag that is
valid in itself but another one than the record speaks of never gets in.
"""

from __future__ import annotations

from collections.abc import Mapping

_MOST_NAMED = 20


def differences(*, planned: Mapping[str, str], registered: Mapping[str, str]) -> list[str]:
    """What differs between the manifest set as planned and as registered, a sentence each; empty: the same bag."""
    if not planned and not registered:
        return ["neither the plan nor the record names a single manifest"]
    return [
        _difference(path, planned.get(path), registered.get(path))
        for path in sorted({*planned, *registered})
        if planned.get(path) != registered.get(path)
    ]


def _difference(path: str, planned: str | None, registered: str | None) -> str:
    if planned is None:
        return f"{path} is in the bag's record and was not there when the copy was planned"
    if registered is None:
        return f"{path} was there when the copy was planned and is not in the bag's record"
    return f"{path} had the SHA-256 {planned} when the copy was planned, the record has {registered}"


def told(differing: list[str]) -> str:
    more = len(differing) - _MOST_NAMED
    return "; ".join(differing[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
