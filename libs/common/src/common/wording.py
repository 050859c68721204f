"""Numbers as people read them."""

from __future__ import annotations


def count(number: int, thing: str, things: str = "") -> str:
    """ "1 file", "1,204 files"; `things` is the plural where it is not one with an s."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"


def size(octets: int) -> str:
    """ "0 bytes", "512 bytes", "3.1 GB"; powers of ten."""
    amount = float(octets)
    for unit in ("bytes", "KB", "MB", "GB", "TB"):
        if round(amount, 1) < 1000 or unit == "TB":
            return f"{int(amount)} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError
