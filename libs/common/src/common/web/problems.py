"""Why the HTTP API refuses: one stable code for each kind, with what it means and what to do.

As application/problem+json (RFC 9457) a code is the end of `type`; docs/reference/errors.md has all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

_TYPES = "urn:backfill:problem:"


@dataclass(frozen=True, slots=True)
class HttpProblem:
    """A kind of refusal."""

    status: int
    title: str
    meaning: str
    remedy: str


PROBLEMS = {
    "request_invalid": HttpProblem(
        400,
        "Invalid request",
        "The body is no JSON, or fields or parameters are missing or have values that cannot be: a line for each.",
        "Correct what the detail names and send the request again.",
    ),
    "not_authenticated": HttpProblem(
        401,
        "Not authenticated",
        "Nothing says who calls, or what says it is not accepted: unknown, expired, revoked, or meant for others.",
        "Get a new access token, or use an API key that is known (docs/how-to/authenticate.md).",
    ),
    "not_permitted": HttpProblem(
        403,
        "Not permitted",
        "The caller is known and lacks the scope that the detail names.",
        "Ask an operator for a client or key with that scope.",
    ),
    "no_such_resource": HttpProblem(
        404,
        "No such resource",
        "There is no such ingest, bag, version, import or address.",
        "Check the identifiers; slashes in them may be sent as they are or percent-encoded.",
    ),
    "method_not_allowed": HttpProblem(
        405, "Method not allowed", "The address exists, for other methods.", "Use a method that Allow names."
    ),
    "state_conflict": HttpProblem(
        409,
        "Conflict",
        "The thing is in a state that does not allow this, or somebody changed it meanwhile.",
        "Read it again; the detail says what it is now.",
    ),
    "request_too_large": HttpProblem(
        413, "Request too large", "The body is larger than the limit that the detail names.", "Send less at once."
    ),
    "media_type_not_supported": HttpProblem(
        415,
        "Media type not supported",
        "The body's Content-Type is not one that this address reads.",
        "Send the Content-Type that the detail names.",
    ),
    "not_processable": HttpProblem(
        422, "Not processable", "The request is well-formed and contradicts itself or an earlier one.",
        "The detail says what it contradicts.",
    ),
    "too_many_requests": HttpProblem(
        429,
        "Too many requests",
        "The caller, or the address of callers who are not known, sent more than BACKFILL_RATE_LIMIT a minute.",
        "Wait for the seconds of Retry-After.",
    ),
    "headers_too_large": HttpProblem(
        431, "Headers too large", "The headers are larger than 16 KiB.", "Send fewer or shorter headers."
    ),
    "unexpected": HttpProblem(
        500,
        "Unexpected error",
        "Something here went wrong; the service's log says what.",
        "Send the request again; if it lasts, tell the operator the time and the address.",
    ),
    "temporarily_unavailable": HttpProblem(
        503,
        "Temporarily unavailable",
        "The ledger, or the issuer of the token, does not answer at the moment.",
        "Wait for the seconds of Retry-After and send the request again.",
    ),
    "too_many_listeners": HttpProblem(
        503,
        "Too many listeners",
        "This process tells its events to as many listeners as BACKFILL_LISTENERS allows already.",
        "Wait for the seconds of Retry-After and open the stream again, with Last-Event-ID: nothing is missed. Or ask"
        " for the ingest with ?wait=30.",
    ),
}  # fmt: skip

_BY_STATUS = {problem.status: code for code, problem in reversed(PROBLEMS.items())}
"""The first of each status is what a refusal is that names no code."""


def code_of(status: int) -> str:
    """The code of a refusal that names none."""
    return _BY_STATUS.get(status) or ("unexpected" if status >= 500 else "request_invalid")


def type_of(code: str) -> str:
    """The problem's `type`: stable, the same in every deployment."""
    return _TYPES + code
