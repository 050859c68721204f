"""Is the replica whole? Two sorted streams are compared: what was verified, and what the store lists now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from common.domain.storage_class import Classes
from common.ports import ObjectInfo

MOST_NAMED = 20
"""How many keys of each kind a tally names; it counts them all."""


@dataclass(frozen=True, slots=True)
class VerifiedObject:
    """An object as the verifier read it."""

    key: str
    size: int
    etag: str | None


@dataclass(slots=True)
class Tally:
    """What the comparison found."""

    agreed: int = 0
    missing: int = 0
    extra: int = 0
    changed: int = 0
    named: dict[str, list[str]] = field(default_factory=dict)
    """The first keys of each kind of fault."""
    classes: Classes = field(default_factory=Classes)
    """What is listed, by storage class; "" where the store names none."""

    @property
    def whole(self) -> bool:
        return not (self.missing or self.extra or self.changed)

    def fault(self) -> str:
        """What is wrong, with the first keys; empty where nothing is."""
        parts = []
        for kind in ("missing", "extra", "changed"):
            if number := getattr(self, kind):
                shown = ", ".join(self.named[kind])
                parts.append(f"{number} {kind}: {shown}" + (", …" if number > MOST_NAMED else ""))
        return "; ".join(parts)

    def _note(self, kind: str, key: str) -> None:
        setattr(self, kind, getattr(self, kind) + 1)
        keys = self.named.setdefault(kind, [])
        if len(keys) < MOST_NAMED:
            keys.append(key)


def tally(verified: Iterable[VerifiedObject], listed: Iterable[ObjectInfo]) -> Tally:
    """Compare; both by key in UTF-8 byte order. Holds one of each in memory.

    An object whose size or ETag is not the one that was read has been written since, and counts as changed.
    """
    result = Tally()
    for key, proof, found in _merged(verified, listed):
        if proof is None:
            result._note("extra", key)
        elif found is None:
            result._note("missing", key)
        elif found.size != proof.size or (proof.etag is not None and found.etag != proof.etag):
            result._note("changed", key)
        else:
            result.agreed += 1
            result.classes.add(found.storage_class or "", found.size)
    return result


def _merged(
    verified: Iterable[VerifiedObject], listed: Iterable[ObjectInfo]
) -> Iterator[tuple[str, VerifiedObject | None, ObjectInfo | None]]:
    """Both streams side by side, by key."""
    left, right = iter(verified), iter(listed)
    proof, found = next(left, None), next(right, None)
    while proof or found:
        mine = proof.key.encode() if proof else None
        theirs = found.key.encode() if found else None
        if theirs is None or (mine is not None and mine < theirs):
            assert proof is not None
            yield proof.key, proof, None
            proof = next(left, None)
        elif mine is None or theirs < mine:
            assert found is not None
            yield found.key, None, found
            found = next(right, None)
        else:
            assert proof is not None
            yield proof.key, proof, found
            proof, found = next(left, None), next(right, None)
