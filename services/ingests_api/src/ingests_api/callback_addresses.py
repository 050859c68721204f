"""Which addresses callbacks may go to, and how they are shown where people read. Pure: asks no name server.

What a name stands for is found out when something is sent, each time anew (`sending.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from common.errors import ConfigurationError

LONGEST = 2000
"""Characters of an address."""
_DEFAULT_PORTS = {"http": 80, "https": 443}
_OPEN_PORTS = (443, 8443)
_FORBIDDEN = frozenset("\\\"'<>^`{|}")


@dataclass(frozen=True, slots=True)
class Host:
    """A host that the operator vouches for: it may be on a private network, on any port that is named."""

    scheme: str
    name: str
    port: int


@dataclass(frozen=True, slots=True)
class Allowed:
    """The hosts that the operator vouches for. Every other address must be https, public, on port 443 or 8443."""

    hosts: frozenset[Host] = frozenset()

    def vouched(self, url: str) -> bool:
        parts = urlsplit(url)
        return Host(parts.scheme, (parts.hostname or "").rstrip("."), _port(parts)) in self.hosts

    def fault(self, url: str) -> str | None:
        """Why nothing is ever sent to `url`, as a sentence that says what to do; None where it may be tried."""
        try:
            parts = urlsplit(url)
            port = _port(parts)
        except ValueError:
            return "it is no URL"
        if fault := _malformed(url, parts):
            return fault
        if self.vouched(url):
            return None
        if parts.scheme != "https":
            return f"http is for hosts in BACKFILL_CALLBACK_HOSTS only; use https, or ask the operator for {_at(parts)}"
        if port not in _OPEN_PORTS:
            listed = " or ".join(map(str, _OPEN_PORTS))
            return f"port {port} is for hosts in BACKFILL_CALLBACK_HOSTS only; use {listed}, or ask for {_at(parts)}"
        if _private(parts.hostname or ""):
            return (
                f"{parts.hostname} is no public address; ask the operator for {_at(parts)} in BACKFILL_CALLBACK_HOSTS"
            )
        return None


ONLY_PUBLIC = Allowed()


def allowed_hosts(text: str) -> Allowed:
    """Read the setting: addresses such as "https://repository.lan:8443", with commas between.

    Raises ConfigurationError that names what is wrong.
    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    return Allowed(frozenset(_host(entry) for entry in entries))


def shown(url: str) -> str:
    """The address for logs: scheme and host only, since path and query may be secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _host(entry: str) -> Host:
    try:
        parts = urlsplit(entry)
        port = _port(parts)
    except ValueError:
        parts, port = urlsplit(""), 0
    bare = parts.path in ("", "/") and not parts.query and not parts.fragment
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or not bare or parts.username is not None:
        raise ConfigurationError(
            f'BACKFILL_CALLBACK_HOSTS: "{entry}" is not scheme, host and port only. '
            'Write "https://repository.example.lan:8443", or "http://…" where plain HTTP is meant.'
        )
    return Host(parts.scheme, parts.hostname.rstrip("."), port)


def _malformed(url: str, parts: SplitResult) -> str | None:
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return "it must be an absolute http or https address"
    if len(url) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    if not url.isascii() or not url.isprintable() or " " in url or _FORBIDDEN & set(url):
        return "it has characters that a URL cannot have; percent-encode them"
    if parts.username is not None or "@" in parts.netloc:
        return "it must not carry a user name or password; callbacks are signed instead"
    if parts.fragment:
        return "it must not have a fragment (#…)"
    return None


def _port(parts: SplitResult) -> int:
    """Raises ValueError for one that is no port."""
    return parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)


def _at(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.netloc}"


def _private(host: str) -> bool:
    """Of addresses and of the one name that means this machine; other names are looked up when something is sent."""
    if host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost"):
        return True
    try:
        return not ip_address(host).is_global
    except ValueError:
        return False
