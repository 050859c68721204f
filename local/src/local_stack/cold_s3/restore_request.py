"""The body of a RestoreObject request."""

from __future__ import annotations

from xml.etree import ElementTree

from local_stack.cold_s3.archive import Tier


class MalformedRequest(Exception):
    """The XML you provided was not well-formed or did not validate against our published schema."""

    def __init__(self) -> None:
        super().__init__(type(self).__doc__)


def parse(body: bytes) -> tuple[Tier, int | None]:
    """The tier (Standard where none is named) and Days (None where absent). Raises MalformedRequest."""
    try:
        root = ElementTree.fromstring(body)
        texts = {element.tag.rpartition("}")[2]: (element.text or "").strip() for element in root.iter()}
        return Tier(texts.get("Tier") or Tier.STANDARD), int(texts["Days"]) if "Days" in texts else None
    except (ElementTree.ParseError, ValueError):
        raise MalformedRequest from None
