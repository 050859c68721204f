"""Paths in manifests: what is safe, and what percent signs mean."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_WINDOWS_VARIABLE = re.compile(r"%[A-Za-z_][A-Za-z0-9_()]*%")
_DRIVE = re.compile(r"[A-Za-z]:")
_ENCODED_DOTS = re.compile(r"(?:\.|%2e){1,2}", re.IGNORECASE)
_ENCODED = re.compile(r"%(0A|0D|25)", re.IGNORECASE)
_STRAY_PERCENT = re.compile(r"%(?!0A|0D|25)", re.IGNORECASE)
_MEANING = {"%0A": "\n", "%0D": "\r", "%25": "%"}


def readings(text: str, *, strict: bool) -> tuple[str, str | None]:
    """What a path in a manifest can mean: the reading that its BagIt version prescribes, and another or None.

    From 1.0 (`strict`) exactly %0A, %0D and %25 are decoded; before, nothing is. Tools disagree, so the other reading
    is kept for the case that only it names a file that is there. Where 1.0 allows no reading at all (a stray percent
    sign), both are the text itself.
    """
    if "%" not in text:
        return text, None
    decoded = _ENCODED.sub(lambda found: _MEANING[found.group().upper()], text)
    if strict and _STRAY_PERCENT.search(text):
        return text, text
    first, second = (decoded, text) if strict else (text, decoded)
    return first, None if first == second else second


def control_fault(text: str) -> str | None:
    """Why a path as it is written, before decoding, has characters that no path may have; None if it has none."""
    found = _CONTROL.search(text)
    return f"has the control character U+{ord(found.group()):04X}" if found else None


def path_fault(path: str, *, windows: bool) -> str | None:
    """Why `path` may lead out of the bag or is not a plain relative file name, as a clause; None if it is safe.

    `windows`: whether backslashes, drive letters and %VARIABLES% are refused.
    """
    if path.startswith("/"):
        return "is absolute"
    if path.startswith("~"):
        return "begins with a home directory"
    return (_windows_fault(path) if windows else None) or _segment_fault(path)


def _windows_fault(path: str) -> str | None:
    if "\\" in path:
        return "has a backslash"
    if _DRIVE.match(path):
        return "begins with a drive letter"
    return "has a %VARIABLE%" if _WINDOWS_VARIABLE.search(path) else None


def _segment_fault(path: str) -> str | None:
    for segment in path.split("/"):
        if not segment:
            return "has an empty segment"
        if _ENCODED_DOTS.fullmatch(segment):
            return f"has the segment {segment!r}"
    return None
