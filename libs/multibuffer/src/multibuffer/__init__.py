"""SHA-256 of large buffers, two streams at once on one core (docs/adr/0023-sha-256-of-two-files-at-once.md)."""

from multibuffer.hashing import LARGE, sha256, why_not

__all__ = ["LARGE", "sha256", "why_not"]
