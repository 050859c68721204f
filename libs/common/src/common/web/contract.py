"""What an OpenAPI document says beyond what can be read off the routes: answers, their shapes, and examples.

Requests are read and answers are written by hand, for the sake of their wording and their size; so their shapes are
written down by hand as well. Tests hold them to what the live services answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from common.web import shapes
from common.web.answers import PROBLEM
from common.web.idempotency import HEADER as KEY
from common.web.problems import code_of, type_of
from common.web.shapes import ERROR, Schema, ref

JSON = "application/json"
_FASTAPIS = ("HTTPValidationError", "ValidationError")
"""Of answers that this API never gives."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one status means. Without a schema it has no document; that of a refusal is always the error's."""

    description: str
    schema: Schema | None = None
    example: Any = None
    more: Mapping[str, Schema] = field(default_factory=dict)
    """Other media types it may come as."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Descriptions by name."""

    def document(self, status: int) -> dict[str, Any]:
        """As OpenAPI has it."""
        found: dict[str, Any] = {"description": self.description}
        if status >= HTTPStatus.BAD_REQUEST:
            found["content"] = _refused(status, self.description)
        elif self.schema is not None:
            found["content"] = {JSON: {"schema": self.schema, "example": self.example}}
        for media_type, schema in self.more.items():
            found.setdefault("content", {})[media_type] = {"schema": schema, "example": schema["examples"][0]}
        if self.headers:
            text = {"type": "string"}
            found["headers"] = {
                name: {"description": said, "required": True, "schema": text} for name, said in self.headers.items()
            }
        return found


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of one operation."""

    answers: Mapping[int, Answer]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Examples by name."""
    request: Any = None
    """An example of its body."""
    shape: Schema | None = None
    """Of the body, where the route does not tell it."""


_SHARED = (
    ("Unreadable", 400, Answer("The request cannot be understood; the description says where and why")),
    ("Unknown", 401, Answer("No credentials, or none that are known")),
    ("Forbidden", 403, Answer("The caller lacks the scope that this needs")),
    ("TooLarge", 413, Answer("The request is larger than 1 MiB")),
    ("NotJson", 415, Answer("The request is not application/json")),
    ("TooMany", 429, Answer("Too many requests in a minute; Retry-After says how long to wait")),
    ("HeadersTooLarge", 431, Answer("The headers are larger than 16 KiB")),
    (
        "Unavailable",
        503,
        Answer("Something that is needed does not answer; Retry-After says when to ask again"),
    ),
)


_USED = Answer("The Idempotency-Key was used for another request")


def publish(app: FastAPI, said: Mapping[str, Said], *, schemas: Mapping[str, Schema]) -> None:
    """Let /openapi.json say all this. `said` is by "GET /ingests".

    The document raises KeyError for routes nothing is said of.
    """
    plain = app.openapi

    @cache
    def whole() -> dict[str, Any]:
        document = plain()
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                _complete(operation, said[f"{method.upper()} {path}"])
        components = document.setdefault("components", {})
        read_off = components.get("schemas", {})
        own = {name: schema for name, schema in read_off.items() if name not in _FASTAPIS}
        if doubled := own.keys() & schemas.keys():
            raise ValueError(f"two schemas of one name: {', '.join(sorted(doubled))}")
        components["schemas"] = own | {"Error": ERROR, "Problem": shapes.PROBLEM, **schemas}
        components["responses"] = {name: each.document(status) for name, status, each in _SHARED}
        return document

    app.openapi = whole  # type: ignore[method-assign]


def _complete(operation: dict[str, Any], said: Said) -> None:
    for parameter in operation.get("parameters", []):
        if parameter["name"] in said.parameters:
            parameter["example"] = said.parameters[parameter["name"]]
    if said.request is not None:
        body = operation.setdefault("requestBody", {"required": True, "content": {JSON: {}}})
        for content in body["content"].values():
            content["example"] = said.request
            if said.shape is not None:
                content["schema"] = said.shape
    once = {422: _USED.document(422)} if any(one["name"] == KEY for one in operation.get("parameters", [])) else {}
    found = _shared(operation) | once | {status: answer.document(status) for status, answer in said.answers.items()}
    operation["responses"] = {str(status): found[status] for status in sorted(found)}


def _shared(operation: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """The answers that many operations may give, by reference."""
    asked = bool(operation.get("parameters") or "requestBody" in operation)
    json = JSON in operation.get("requestBody", {}).get("content", {})
    needed = {400: asked, 401: bool(operation.get("security")), 403: bool(operation.get("security")), 415: json}
    return {
        status: {"$ref": f"#/components/responses/{name}"} for name, status, _ in _SHARED if needed.get(status, True)
    }


def _refused(status: int, description: str) -> dict[str, Any]:
    """Both forms of a refusal; the Accept header chooses."""
    label, code = HTTPStatus(status).phrase, code_of(status)
    error = {"errorType": "http", "httpStatus": status, "label": label, "description": description, "type": "Error"}
    problem = {"type": type_of(code), "title": label, "status": status, "detail": description, "code": code}
    return {
        JSON: {"schema": ref("Error"), "example": error},
        PROBLEM: {"schema": ref("Problem"), "example": problem},
    }
