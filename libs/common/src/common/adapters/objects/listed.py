"""What stores write lists in: XML, of which only a little is believed."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element, ParseError

__all__ = ["Element", "ParseError", "children", "root_of", "size_of", "text"]


def root_of(body: bytes, *, named: str) -> Element:
    """The document's root. Raises ParseError where it was cut, ValueError where it is another document."""
    # No list has one, and without it there are no entities to be expanded; in UTF-16 it would not be seen.
    if b"<!DOCTYPE" in body or b"\0" in body:
        raise ValueError("a list with a document type")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - see above
    except LookupError as unknown:  # what it says to be encoded in
        raise ValueError(str(unknown)) from None
    if not root.tag.endswith(named):
        raise ValueError(f"a list was asked for, {root.tag} came")
    return root


def children(element: Element) -> dict[str, Element]:
    """By name without namespace; of several the last."""
    return {child.tag.rpartition("}")[2]: child for child in element}


def text(element: Element | None) -> str:
    """Empty where there is none."""
    return "" if element is None else element.text or ""


def size_of(element: Element) -> int:
    """Bytes. Raises ValueError for what is no number of them, though Python may read it as one."""
    told = element.text or ""
    if not (told.isascii() and told.isdigit()):
        raise ValueError(f"{told!r} is no size")
    return int(told)
