"""Names of blocks, all of one length as Azure wants those of one blob to be.

`<8 hex digits of the upload><8 of the mark>.<6-digit part>`; the mark is zeros where there is none. Workers of earlier
releases name theirs `<16 hex digits of the upload>-<6-digit part>`, and such uploads may be taken up still.
"""

from __future__ import annotations

import re
import secrets
from typing import NamedTuple

_NEW = re.compile(r"([0-9a-f]{8})([0-9a-f]{8})\.([0-9]{6})")
_OLD = re.compile(r"([0-9a-f]{16})()-([0-9]{6})")
_UNMARKED = "0" * 8


class Block(NamedTuple):
    """What a block's name says."""

    upload_id: str
    mark: str
    number: int


def new_upload_id() -> str:
    """Of one name's uploads: there are few."""
    return secrets.token_hex(4)


def name(upload_id: str, number: int, mark: str = "") -> str:
    """Of part `number` of the upload; `mark`: see `common.ports.Upload.put_part`."""
    if len(upload_id) == len(_UNMARKED):
        return f"{upload_id}{mark or _UNMARKED}.{number:06}"
    return f"{upload_id}-{number:06}"


def read(block: str) -> Block | None:
    """None for a block that no upload of ours sent."""
    found = _NEW.fullmatch(block) or _OLD.fullmatch(block)
    if found is None:
        return None
    upload_id, mark, number = found.groups()
    return Block(upload_id, "" if mark == _UNMARKED else mark, int(number))
