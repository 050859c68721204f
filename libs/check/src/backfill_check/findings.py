"""What a check finds, in the signs of `rclone check --combined`: register is its source, store its destination."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Sign(StrEnum):
    SAME = "="
    """Registered and stored, and whatever was compared agrees."""
    ORPHAN = "-"
    """Stored, not registered."""
    PHANTOM = "+"
    """Registered, not stored."""
    DIFFERS = "*"
    """Registered and stored, with other bytes or another size."""
    ERROR = "!"
    """It could not be told."""


_WORDS = {
    Sign.SAME: "same",
    Sign.ORPHAN: "orphan",
    Sign.PHANTOM: "phantom",
    Sign.DIFFERS: "mismatch",
    Sign.ERROR: "error",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One object, or one bag version that is not there at all."""

    sign: Sign
    location: str
    key: str
    told: str = ""
    """What differs, or why it could not be told."""
    read: bool = False
    """Every byte was read."""
    bytes: int = 0

    def line(self) -> str:
        """`* azure:space/b1/v1/data/a.tif  SHA-256 …`; names are strangers' text, so control characters are escaped."""
        told = f"  {self.told}" if self.told else ""
        return _printable(f"{self.sign.value} {self.location}:{self.key}{told}")

    def document(self) -> str:
        facts = {"sign": self.sign.value, "finding": _WORDS[self.sign], "location": self.location, "key": self.key}
        more = {"told": self.told or None, "read": self.read or None, "bytes": self.bytes or None}
        return json.dumps(facts | {name: value for name, value in more.items() if value is not None})


@dataclass
class Summary:
    """What a check came to."""

    bags: int = 0
    signs: Counter[Sign] = field(default_factory=Counter)
    read: int = 0
    """Files whose every byte was read."""
    bytes: int = 0
    """Of these."""
    ended: bool = True
    """False: the time was over before the end."""
    orphans_looked_for: bool = True
    tell: Callable[[Finding], None] = lambda _: None

    def add(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.signs[finding.sign] += 1
            self.read += finding.read
            self.bytes += finding.bytes if finding.read else 0
            self.tell(finding)

    @property
    def exit_code(self) -> int:
        """0 all agrees; 1 something differs; 3 something could not be told; 5 the time was over before the end."""
        if any(self.signs[sign] for sign in (Sign.ORPHAN, Sign.PHANTOM, Sign.DIFFERS)):
            return 1
        if self.signs[Sign.ERROR]:
            return 3
        return 0 if self.ended else 5

    def document(self) -> str:
        counts = {_WORDS[sign]: self.signs[sign] for sign in Sign}
        facts = {"bagVersions": self.bags, "filesRead": self.read, "bytesRead": self.bytes, "ended": self.ended}
        return json.dumps({"summary": counts | facts | {"orphansLookedFor": self.orphans_looked_for}})

    def lines(self) -> list[str]:
        told = ", ".join(f"{self.signs[sign]:,} {_WORDS[sign]}" for sign in Sign)
        lines = [f"{self.bags:,} bag versions: {told}; {self.read:,} files read ({self.bytes:,} bytes)"]
        lines += [] if self.orphans_looked_for else ["Objects that no bag names were not looked for in this order."]
        return lines + ([] if self.ended else ["The time was over before the end: run it again with the same --state."])


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
