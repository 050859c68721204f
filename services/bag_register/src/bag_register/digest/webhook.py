"""Sends a document to the address that the operator configured."""

from __future__ import annotations

import urllib.error
import urllib.request
from http.client import HTTPException

from common.errors import TransientError

_SECONDS = 15


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The address is the one that was configured, and no other."""

    def redirect_request(self, *_: object) -> None:
        return None


def post_to(url: str, data: bytes) -> None:
    """POST JSON; any 2xx will do. Raises TransientError with what was answered instead; the address is not in it."""
    request = urllib.request.Request(  # noqa: S310 - the operator's own address
        url, data=data, headers={"Content-Type": "application/json"}, method="POST"
    )
    opener = urllib.request.build_opener(_NoRedirects())
    try:
        with opener.open(request, timeout=_SECONDS):
            return
    except urllib.error.HTTPError as error:
        raise TransientError(f"the webhook for digests answered {error.code} {error.reason}") from None
    except (OSError, HTTPException) as error:
        raise TransientError(f"the webhook for digests cannot be reached: {error}") from None
