"""What faults do to a body on its way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from chaos.http_frames import Piece
from chaos.rules import Fault, Rules

FLIPS = frozenset({Fault.FLIP, Fault.FLIP_UPLOAD})
CUTS = frozenset({Fault.RESET, Fault.RESET_UPLOAD, Fault.TRUNCATE})

_DRIPS = 6
_DRIP_WAIT = 0.5
"""Seconds."""


class Cut(Exception):
    """The connection ends here, in good order or by a reset."""

    def __init__(self, *, reset: bool = False) -> None:
        self.reset = reset


def spoilt(
    pieces: AsyncIterator[Piece], *, length: int | None, fault: Fault | None, rules: Rules
) -> AsyncIterator[Piece]:
    """The body as the fault leaves it; whole where the fault is none of bodies."""
    if fault in FLIPS or fault in CUTS or fault is Fault.OTHER_RANGE:
        return _struck(pieces, length=length, fault=fault, rules=rules)
    return _dripping(pieces, rules) if fault is Fault.DRIP else pieces


async def _struck(
    pieces: AsyncIterator[Piece], *, length: int | None, fault: Fault, rules: Rules
) -> AsyncIterator[Piece]:
    """A bit flipped, a piece moved or the connection cut at a place drawn from the length; of an unknown one, early."""
    place: int | None = rules.random.randrange(length) if length else None
    struck = False
    async for piece in pieces:
        if struck or not piece.data:
            yield piece
            continue
        if place is None:
            place = rules.random.randrange(len(piece.raw))
        if place >= len(piece.raw):
            place -= len(piece.raw)
            yield piece
            continue
        struck = True
        rules.count(fault)
        if fault in CUTS:
            yield Piece(piece.raw[:place])
            raise Cut(reset=fault is not Fault.TRUNCATE)
        if fault is Fault.OTHER_RANGE:
            yield Piece(piece.raw[1:] + piece.raw[:1])
            continue
        yield Piece(_flipped(piece.raw, place, bit=rules.random.randrange(8)))


async def _dripping(pieces: AsyncIterator[Piece], rules: Rules) -> AsyncIterator[Piece]:
    """The first piece of data in small bits with waits between, the rest as it comes."""
    dripped = False
    async for piece in pieces:
        if dripped or not piece.data:
            yield piece
            continue
        dripped = True
        rules.count(Fault.DRIP)
        step = -(-len(piece.raw) // _DRIPS)
        for place in range(0, len(piece.raw), step):
            yield Piece(piece.raw[place : place + step])
            await asyncio.sleep(_DRIP_WAIT)


def _flipped(block: bytes, place: int, *, bit: int) -> bytes:
    return block[:place] + bytes([block[place] ^ (1 << bit)]) + block[place + 1 :]
