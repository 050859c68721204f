"""What can go wrong between the client and the APIs.

BackfillClientError
├── ApiUnreachable    no answer, or a server error, after every retry
└── ApiRefused        the API answered 4xx: `label` and `description` say why
    └── NotFound      404
"""

from __future__ import annotations


class BackfillClientError(Exception):
    """Backfill's API could not do what was asked."""


class ApiUnreachable(BackfillClientError):
    """The API did not answer, or is not able to at the moment."""


class ApiRefused(BackfillClientError):
    """The API refused the request, and will refuse it again."""

    def __init__(self, *, status: int, label: str, description: str) -> None:
        super().__init__(f"{label}: {description}")
        self.status = status
        self.label = label
        """The status in words, such as "Bad Request"."""
        self.description = description
        """What is wrong and what to send instead."""


class NotFound(ApiRefused):
    """There is no such thing."""
