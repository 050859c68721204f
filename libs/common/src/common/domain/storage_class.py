"""In which storage classes objects lie, as a list of them told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from common.domain.location import Provider

UNKNOWN = "unknown"
"""Nobody told. It is never guessed from the configuration or from when something was written."""
ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE", "Archive"})
"""Classes whose objects cannot be read before they are brought back. (GLACIER_IR can be read as it is.)"""
_SILENT = {Provider.AMAZON_S3: "STANDARD", Provider.MEMORY: "STANDARD", Provider.LOCAL: "none"}
"""What it means that a provider names no class: S3's default has none in our spelling, a directory has no classes."""


def class_name(provider: Provider, told: str | None) -> str:
    """A class as reports write it, from what the provider told of an object: "STANDARD", "Cool", "unknown"."""
    return told or _SILENT.get(provider, UNKNOWN)


@dataclass(slots=True)
class Classes:
    """Objects and their bytes by storage class, counted as they pass."""

    amounts: dict[str, list[int]] = field(default_factory=dict)
    """Number and bytes, by class: also the form in which the ledger keeps them."""

    def add(self, name: str, size: int) -> None:
        amount = self.amounts.setdefault(name, [0, 0])
        amount[0] += 1
        amount[1] += size

    def named(self, provider: Provider) -> Classes:
        """The same with classes as reports write them, from "" for what was not told."""
        named = Classes()
        for told, (number, size) in self.amounts.items():
            amount = named.amounts.setdefault(class_name(provider, told), [0, 0])
            amount[0] += number
            amount[1] += size
        return named

    @classmethod
    def of(cls, amounts: Mapping[str, list[int]]) -> Classes:
        """From the ledger's form."""
        return cls({name: list(amount) for name, amount in amounts.items()})
