"""How closely files are looked at."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Depth:
    """Which files are read: none (names and sizes only), all, or a sample that only the seed decides."""

    share: float = 0.0
    """Of the files, 0 to 1."""
    seed: str = ""

    def reads(self, location: str, key: str) -> bool:
        """The same for the same seed, so that a second run reads what the first did, and another seed others."""
        if self.share >= 1 or self.share <= 0:
            return self.share > 0
        drawn = hashlib.sha256(f"{self.seed}\0{location}\0{key}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(drawn[:8], "big") < self.share * 2**64


LIST = Depth()
READ = Depth(share=1.0)


def sample(text: str, *, seed: str) -> Depth:
    """ "1%" or "0.01". Raises ValueError."""
    share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if not 0 < share <= 1:
        raise ValueError(f'{text!r} is no share of the files: write "1%"')
    return Depth(share=share, seed=seed)
