"""How a store is reached: directly, through the proxy of the environment, with TLS that is verified or none."""

from __future__ import annotations

import os
import socket
import struct
import sys
from base64 import b64encode
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

from common.adapters.objects.wire.connection import Connection
from common.adapters.objects.wire.heads import read_head
from common.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Origin:
    """A server by scheme, name and port, and the way to it."""

    place: SplitResult
    proxy: SplitResult | None
    connect_timeout: float
    read_timeout: float
    """Seconds without a byte."""

    @classmethod
    def of(cls, address: str, *, connect_timeout: float, read_timeout: float) -> Origin:
        """Of any address there. Raises ConfigurationError for an address or a proxy that cannot be used."""
        place = urlsplit(address)
        if place.scheme not in _PORTS or not place.hostname:
            raise ConfigurationError(f"{address} is no address of a store; it begins with https:// and a host")
        return cls(place, _proxy(place), connect_timeout, read_timeout)

    @cached_property
    def host(self) -> str:
        """As a request's header names it: without the port that goes without saying."""
        name = self.place.hostname or ""
        named = f"[{name}]" if ":" in name else name
        return named if self.place.port in (None, _PORTS[self.place.scheme]) else f"{named}:{self.place.port}"

    @cached_property
    def before_target(self) -> str:
        """What a proxy that is no tunnel wants to see before the target."""
        return f"http://{self.host}" if self.proxy is not None and self.place.scheme == "http" else ""

    @cached_property
    def always(self) -> str:
        """The lines that every request has; the proxy's login among them where the proxy reads requests."""
        login = _login(self.proxy) if self.proxy is not None and self.place.scheme == "http" else {}
        lines = {"Host": self.host, "Accept-Encoding": "identity", **login}
        return "".join(f"{name}: {value}\r\n" for name, value in lines.items())

    def connect(self) -> Connection:
        """Raises OSError; its subclass ssl.SSLError where the server cannot prove who it is."""
        way = self.proxy or self.place
        name = way.hostname or ""
        # As bytes, which getaddrinfo takes too: what turns other alphabets into them takes long to import.
        address: tuple[Any, int] = (name.encode() if name.isascii() else name, way.port or _PORTS[way.scheme])
        sock = socket.create_connection(address, timeout=self.connect_timeout)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.place.scheme == "https":
                if self.proxy is not None:
                    self._tunnel(sock, self.proxy)
                sock = self._tls.wrap_socket(sock, server_hostname=self.place.hostname)
            _limit_waits(sock, self.read_timeout, tls=self.place.scheme == "https")
            return Connection(sock, tls=self.place.scheme == "https", timeout=self.read_timeout)
        except BaseException:
            sock.close()
            raise

    def _tunnel(self, sock: socket.socket, proxy: SplitResult) -> None:
        """Raises OSError where the proxy does not open one."""
        name = self.place.hostname or ""
        target = f"{f'[{name}]' if ':' in name else name}:{self.place.port or _PORTS['https']}"
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        lines += [f"{name}: {value}" for name, value in _login(proxy).items()]
        through = Connection(sock, tls=False, timeout=self.connect_timeout)
        through.send("\r\n".join([*lines, "", ""]).encode(), None)
        answer = read_head(through.head(), method="HEAD")
        if not 200 <= answer.status < 300 or not through.stands():
            raise OSError(f"the proxy {proxy.hostname} answered {answer.status}")

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Imported here: a store on the same host may do without.
        import ssl

        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return context


def _limit_waits(sock: socket.socket, seconds: float, *, tls: bool) -> None:
    """Where the system can limit a wait by itself, it need not be asked before every reading whether there is something
    to read. TLS reads on where such a wait has ended, and would wait for ever."""
    if tls or sys.platform != "linux":
        sock.settimeout(seconds)
        return
    whole = int(seconds)
    limit = struct.pack("ll", whole, int((seconds - whole) * 1_000_000) or 1)  # 0 and 0 would be no limit
    sock.settimeout(None)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


def _proxy(place: SplitResult) -> SplitResult | None:
    """What the environment says: HTTPS_PROXY and its like, but for NO_PROXY."""
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    # Imported here: it takes long, and few have a proxy.
    from urllib.request import getproxies, proxy_bypass

    address = getproxies().get(place.scheme)
    if not address or proxy_bypass(place.hostname or ""):
        return None
    proxy = urlsplit(address if "://" in address else f"http://{address}")
    if proxy.scheme != "http" or not proxy.hostname:
        raise ConfigurationError(
            f"the proxy for {place.scheme} is {proxy.scheme}://{proxy.hostname}; only proxies that are reached by"
            f" http:// are understood: change {place.scheme.upper()}_PROXY, or name {place.hostname} in NO_PROXY"
        )
    return proxy


def _login(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    words = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(words.encode()).decode()}"}
