"""What obstore's exceptions hide in their text: the HTTP status and the provider's error code.

obstore sorts answers by status alone (every 403 is PermissionDenied, every 409 on a put AlreadyExists), and has
no attribute for the code. Its text is read for the two, and is never shown: it holds addresses and stack traces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>\s*([A-Za-z0-9_.]+)\s*</Code>|\"code\":\s*\"([A-Za-z0-9_.]+)\"")
_CUT = re.compile(r"UnexpectedEof|IncompleteBody|kind: Interrupted")
_PAST_END = re.compile(r"StartTooLarge|EndTooLarge")
_CHANGED = re.compile(r"[\x00-\x1f\x7f]|\A/|/\Z|//|(?:\A|/)\.{1,2}(?:/|\Z)")
_REDIRECT = re.compile(r"BareRedirect")


@dataclass(frozen=True, slots=True)
class Answer:
    """How a store refused, in its own terms."""

    status: int | None
    """HTTP status; None where no answer arrived."""
    code: str | None = None
    retry_after: float | None = None
    """Seconds."""
    cut: bool = False
    """The connection ended inside a body."""

    def __str__(self) -> str:
        if self.status is None:
            return "the connection ended inside the answer" if self.cut else "no answer"
        return f"HTTP {self.status}" + (f" {self.code}" if self.code and self.code != str(self.status) else "")


def answer_of(error: BaseException) -> Answer:
    """Read an obstore exception."""
    text = str(error)
    status, code = _STATUS.search(text), _CODE.search(text)
    if status:
        return Answer(int(status[1]), (code[1] or code[2]) if code else None)
    if _PAST_END.search(text):
        return Answer(416, "InvalidRange")
    if _REDIRECT.search(text):
        return Answer(301, "PermanentRedirect")
    if isinstance(error, FileNotFoundError):
        return Answer(404)
    return Answer(None, cut=bool(_CUT.search(text)))


def can_name(key: str) -> bool:
    """Whether obstore sends `key` as it is. It drops slashes at the ends and refuses empty or dotted segments."""
    return key != "" and _CHANGED.search(key) is None


RESERVED_ATTRIBUTES = frozenset(
    ("content-type", "content-disposition", "content-encoding", "content-language", "cache-control", "storage-class")
)
"""Metadata names that obstore takes for headers."""
