"""How a client proves who it is: a token, an API key, or an OAuth client's id and secret."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from backfill_client.errors import ApiRefused, ApiUnreachable
from backfill_client.trust import trusted

_VARIABLES = (
    "BACKFILL_TOKEN",
    "BACKFILL_API_KEY",
    "BACKFILL_CLIENT_ID",
    "BACKFILL_CLIENT_SECRET",
    "BACKFILL_CREDENTIALS",
)
_EARLY = 30.0
"""Seconds before its end that a token is replaced: it must last until the request arrives."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """One of: a token; an API key; a client's id and secret."""

    token: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    token_url: str | None = None
    """Where tokens are to be had; the ingests API's own /oauth2/token where None."""

    @classmethod
    def from_path(cls, path: Path) -> Credentials:
        """A JSON file with `api_key`, or with `client_id`, `client_secret` and maybe `token_url`.

        Raises ValueError, which names the file and not what is in it.
        """
        try:
            kept = json.loads(path.read_text("utf-8"))
        except OSError as error:
            raise ValueError(f"{path} cannot be read ({error.strerror})") from None
        except ValueError:
            raise ValueError(f"{path} is not JSON") from None
        names = ("api_key", "client_id", "client_secret", "token_url")
        found = {name: kept[name] for name in names if isinstance(kept, dict) and isinstance(kept.get(name), str)}
        if "api_key" not in found and not {"client_id", "client_secret"} <= set(found):
            raise ValueError(f"{path} has neither api_key nor client_id and client_secret")
        return cls(**found)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Credentials:
        """The first that is set, as the command line takes it; none where none is.

        BACKFILL_TOKEN, BACKFILL_API_KEY, BACKFILL_CLIENT_ID with BACKFILL_CLIENT_SECRET, or BACKFILL_CREDENTIALS, a
        file. Raises ValueError for an id without its secret and for a file that is none.
        """
        known = os.environ if environment is None else environment
        token, api_key, client_id, secret, path = (known.get(name) or None for name in _VARIABLES)
        if token or api_key:
            return cls(token=token, api_key=api_key)
        if bool(client_id) != bool(secret):
            raise ValueError("set BACKFILL_CLIENT_ID and BACKFILL_CLIENT_SECRET both, or neither")
        if client_id or path is None:
            return cls(client_id=client_id, client_secret=secret)
        return cls.from_path(Path(path))

    def auth(self, api: str) -> httpx.Auth | None:
        """For httpx; `api` is the ingests API's address. None where there are no credentials."""
        if bearer := self.token or self.api_key:
            return _Bearer(bearer)
        if self.client_id and self.client_secret:
            url = self.token_url or f"{api.rstrip('/')}/oauth2/token"
            return ClientCredentials(url, self.client_id, self.client_secret)
        return None


class _Bearer(httpx.Auth):
    """For API keys too: unlike x-api-key, this header is dropped where a redirect leads to another host."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._secret}"
        yield request


class ClientCredentials(httpx.Auth):
    """Gets a token when there is none, when it is about to end, and once more when the API does not take it.

    Safe to share between clients and threads.
    """

    requires_response_body = True

    def __init__(
        self, token_url: str, client_id: str, client_secret: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = token_url
        self._basic = httpx.BasicAuth(client_id, client_secret)
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = None
        self._until = 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = self._kept()
        if token is None:
            token = self._keep((yield self._wanted()))
        request.headers["Authorization"] = f"Bearer {token}"
        answer = yield request
        if answer.status_code == 401:
            token = self._keep((yield self._wanted()))
            request.headers["Authorization"] = f"Bearer {token}"
            yield request

    def fetch(self, *, timeout: float = 30) -> str:
        """A fresh token. Raises ApiUnreachable, ApiRefused."""
        try:
            with httpx.Client(timeout=timeout, verify=trusted()) as http:
                return self._keep(http.send(self._wanted()))
        except httpx.TransportError as error:
            raise ApiUnreachable(f"{self._url} cannot be reached: {str(error) or type(error).__name__}") from error

    def _kept(self) -> str | None:
        with self._lock:
            return self._token if self._clock() < self._until else None

    def _wanted(self) -> httpx.Request:
        request = httpx.Request(
            "POST", self._url, data={"grant_type": "client_credentials"}, headers={"Accept": "application/json"}
        )
        return next(self._basic.auth_flow(request))

    def _keep(self, answer: httpx.Response) -> str:
        """Raises ApiRefused, ApiUnreachable."""
        document = _document(answer)
        token, life = document.get("access_token"), document.get("expires_in", 0)
        if not isinstance(token, str) or not isinstance(life, int | float):
            raise ApiUnreachable(f"{self._url} answered {answer.status_code} without a token")
        with self._lock:
            self._token, self._until = token, self._clock() + life - _EARLY
        return token


def _document(answer: httpx.Response) -> Mapping[str, object]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    document: dict[str, object] = found if isinstance(found, dict) else {}
    if 400 <= answer.status_code < 500:
        told = document.get("description") or document.get("error_description") or document.get("error") or ""
        label = str(document.get("label", answer.reason_phrase))
        raise ApiRefused(status=answer.status_code, label=label, description=str(told))
    return document
