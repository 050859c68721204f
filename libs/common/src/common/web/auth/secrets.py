"""Secrets: made from 256 random bits, shown once, kept as their SHA-256.

    client   id "bfc_" + 8 characters, secret "bfs_" + 43 characters + a checksum
    API key  "bfk_" + 8 characters + "_" + 43 characters + a checksum; its id is the part before the second "_"

The prefixes and checksums let secret scanners find leaked ones without false alarms.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
import zlib
from dataclasses import dataclass, field

_ALPHABET = string.digits + string.ascii_letters
_ID = 8
_SECRET = 43
"""base62 characters that carry 256 bits."""
_CHECK = 6

CLIENT, KEY = "bfc_", "bfk_"
_CLIENT_SECRET = "bfs_"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Fresh:
    """A secret that was just made."""

    id: str
    secret: str = field(repr=False)
    """What its holder sends: never kept, never logged."""

    @property
    def sha256(self) -> str:
        return hashed(self.secret)


def new_client() -> Fresh:
    """The id and secret of an OAuth client."""
    return Fresh(CLIENT + _random(_ID), _checked(_CLIENT_SECRET + _random(_SECRET)))


def new_key() -> Fresh:
    """An API key; the secret is the whole key."""
    key_id = KEY + _random(_ID)
    return Fresh(key_id, _checked(f"{key_id}_{_random(_SECRET)}"))


def key_id_of(key: str) -> str | None:
    """The id in an API key; None for what cannot be one of ours."""
    length = len(KEY) + _ID
    whole = length + 1 + _SECRET + _CHECK
    if len(key) != whole or not key.startswith(KEY) or not key.isascii() or _checked(key[:-_CHECK]) != key:
        return None
    return key[:length]


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def same(secret: str, sha256: str) -> bool:
    """Whether it is the secret with that hash, in time that does not tell how much of it is right."""
    return hmac.compare_digest(hashed(secret), sha256)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checked(text: str) -> str:
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(_CHECK):
        number, rest = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[rest] + digits
    return text + digits
