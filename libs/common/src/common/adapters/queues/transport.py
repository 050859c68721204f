"""The one place that makes a kombu Connection."""

from __future__ import annotations

from typing import Any

from kombu.connection import Connection


def open_transport(url: str | None = None, **options: Any) -> Any:
    """kombu's transport for the options of kombu.Connection, not yet connected.

    The Connection itself is not used further: it reconnects silently wherever it is touched, which would forget
    subscriptions, unconfirmed publishes and deliveries.
    """
    return Connection(url, **options).transport  # type: ignore[no-untyped-call]
