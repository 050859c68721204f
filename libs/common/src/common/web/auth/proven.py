"""Tokens that were checked a moment ago: checking a signature costs more than all else that a request needs."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable

from common.web.auth.directory import REMEMBERED
from common.web.auth.tokens import Claims, Trusted, verified

_MOST = 10_000


class Proven:
    """What tokens say, remembered for as long as clients are. Safe to share between threads."""

    def __init__(
        self, issuers: Iterable[Trusted], *, now: Callable[[], float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`now` in seconds since 1970."""
        self._issuers = {trusted.issuer: trusted for trusted in issuers}
        self._now = now
        self._clock = clock
        self._known: dict[bytes, tuple[float, Claims]] = {}
        self._lock = threading.Lock()

    def remembered(self, token: str) -> Claims | None:
        """None where it has to be checked."""
        digest, now = _digest(token), self._clock()
        with self._lock:
            at, found = self._known.get(digest, (now, None))
        if found is None or now - at >= REMEMBERED or self._now() >= found.expires:
            return None
        return found

    def checked(self, token: str) -> Claims:
        """Raises BadToken, TransientError."""
        if found := self.remembered(token):
            return found
        now = self._clock()
        claims = verified(token, self._issuers, now=self._now())
        # What proves nothing is not remembered: strangers must not fill the memory.
        digest = _digest(token)
        with self._lock:
            self._known.pop(digest, None)
            if len(self._known) >= _MOST:
                self._known.pop(next(iter(self._known)))
            self._known[digest] = (now, claims)
        return claims


def _digest(token: str) -> bytes:
    """Not the token itself: whoever sees this memory cannot call with it."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
