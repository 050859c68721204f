"""What of an OpenAPI document clients may rely on, and what a newer one takes away from them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Document = Mapping[str, Any]


def breaking_changes(before: Document, after: Document) -> list[str]:
    """One sentence for each: what was answered and is no more, what need not be sent and must be now."""
    found: list[str] = []
    for path, operations in before["paths"].items():
        for method, operation in operations.items():
            name = f"{method.upper()} {path}"
            now = after["paths"].get(path, {}).get(method)
            if now is None:
                found.append(f"{name} is gone")
                continue
            found += [f"{name}: {what}" for what in _asked(operation, now, before, after)]
            found += [f"{name}: {what}" for what in _answered(operation, now, before, after)]
    return found


def _asked(was: Document, now: Document, before: Document, after: Document) -> Iterator[str]:
    known, offered = _parameters(was), _parameters(now)
    for name in known.keys() - offered.keys():
        yield f"the parameter {name} is gone"
    for name, parameter in offered.items():
        if parameter.get("required") and not known.get(name, {}).get("required"):
            yield f"the parameter {name} must be sent now"
    then, today = was.get("requestBody", {}), now.get("requestBody", {})
    if today.get("required") and not then.get("required"):
        yield "a body must be sent now"
    for media_type, content in then.get("content", {}).items():
        if media_type not in today.get("content", {}):
            yield f"a body of {media_type} is not taken any more"
            continue
        new = today["content"][media_type].get("schema", {})
        yield from _must_send(content.get("schema", {}), new, before, after, ".")


def _parameters(operation: Document) -> dict[str, Any]:
    return {f"{one['in']} {one['name']}": one for one in operation.get("parameters", [])}


def _must_send(was: Document, now: Document, before: Document, after: Document, place: str) -> Iterator[str]:
    was, now = _resolved(was, before), _resolved(now, after)
    for name in sorted(set(now.get("required", [])) - set(was.get("required", []))):
        yield f"the request's {place}{name} must be sent now"
    for name, schema in was.get("properties", {}).items():
        if name not in now.get("properties", {}):
            yield f"the request's {place}{name} is gone"
        else:
            yield from _must_send(schema, now["properties"][name], before, after, f"{place}{name}.")
    for value in _values(was) - (_values(now) or _values(was)):
        yield f"the request's {place[:-1] or '.'} may not be {value} any more"


def _values(schema: Document) -> set[Any]:
    return set(schema.get("enum", []))


def _answered(was: Document, now: Document, before: Document, after: Document) -> Iterator[str]:
    for status, answer in was["responses"].items():
        if not status.startswith("2"):
            continue
        today = _resolved(now["responses"].get(status, {}), after)
        if not today:
            yield f"it does not answer {status} any more"
            continue
        for media_type, content in _resolved(answer, before).get("content", {}).items():
            if media_type not in today.get("content", {}):
                yield f"{status} does not come as {media_type} any more"
                continue
            new = today["content"][media_type].get("schema", {})
            yield from _lost(content.get("schema", {}), new, before, after, f"{status} .")


def _lost(was: Document, now: Document, before: Document, after: Document, place: str) -> Iterator[str]:
    was, now = _resolved(was, before), _resolved(now, after)
    if was.get("type") != now.get("type"):
        yield f"{place[:-1] or '.'} was {was.get('type')} and is {now.get('type')}"
    for name in sorted(set(was.get("required", [])) - set(now.get("required", []))):
        if name in now.get("properties", {}):
            yield f"{place}{name} may be missing now"
    for name, schema in was.get("properties", {}).items():
        if name not in now.get("properties", {}):
            yield f"{place}{name} is gone"
        else:
            yield from _lost(schema, now["properties"][name], before, after, f"{place}{name}.")
    if "items" in was:
        yield from _lost(was["items"], now.get("items", {}), before, after, f"{place[:-1]}[].")
    for each, new in zip(was.get("anyOf", []), now.get("anyOf", []), strict=False):
        yield from _lost(each, new, before, after, place)


def _resolved(schema: Document, document: Document) -> Document:
    """What a reference leads to; itself where it is none."""
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema
