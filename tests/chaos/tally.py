"""What the stores were asked to change, as the proxies before them saw it."""

from __future__ import annotations

import threading
from collections import Counter
from urllib.parse import parse_qs, unquote, urlsplit

from chaos.http_frames import Head


class Touched:
    """Notes what the source was asked beyond reading and restoring."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    def note(self, request: Head, answer: Head) -> None:
        """Look at one request, whatever came of it."""
        query = parse_qs(urlsplit(request.target).query, keep_blank_values=True)
        if request.method in ("GET", "HEAD") or (request.method == "POST" and "restore" in query):
            return
        with self._lock:
            self._asked[f"{request.method} {request.target}"] += 1

    def wrong(self) -> list[str]:
        """What should never have been asked, a sentence each."""
        with self._lock:
            return [f"{what} was asked of the source" for what in sorted(self._asked)]


class Writes:
    """An object is created once: counts what Azure said it created, also where that never reached the worker."""

    def __init__(self) -> None:
        self._created: Counter[str] = Counter()
        self._removed: Counter[str] = Counter()
        self._lock = threading.Lock()

    def note(self, request: Head, answer: Head) -> None:
        """Look at one request and its answer."""
        if request.method == "DELETE" and answer.status < 300:
            with self._lock:
                self._removed[f"DELETE {request.target}"] += 1
        if request.method != "PUT" or answer.status != 201:
            return
        address = urlsplit(request.target)
        if parse_qs(address.query).get("comp", ["blocklist"]) == ["blocklist"]:
            with self._lock:
                self._created[_key(address.path)] += 1

    def removed_by_operator(self, key: str) -> None:
        """Somebody deleted the blob on purpose: it may be created once more."""
        with self._lock:
            self._created[key] -= 1

    def wrong(self) -> list[str]:
        """What should never have been asked, a sentence each."""
        with self._lock:
            twice = [f"{key} was created {n} times" for key, n in sorted(self._created.items()) if n > 1]
            return twice + [f"{what} was asked, and done" for what in self._removed]


def _key(path: str) -> str:
    """/account/container/a%20key → a key."""
    return unquote(path.split("/", 3)[3])
