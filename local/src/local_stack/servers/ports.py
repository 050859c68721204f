"""Free TCP ports of the loopback interface."""

from __future__ import annotations

import socket


def free_port() -> int:
    """A port nobody listens on now. Nothing reserves it: bind soon."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(port: int) -> bool:
    """Whether something accepts connections on the port."""
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0
