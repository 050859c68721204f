"""What can go wrong with a server of the local stack."""

from __future__ import annotations

from pathlib import Path

from common.errors import ConfigurationError, TransientError

_TAIL_LINES = 20


class ServerNotInstalled(ConfigurationError):
    """A server's program is missing; the message says how to get it."""


class ServerDidNotStart(TransientError):
    """A server was started and did not become ready; the message ends with its log's last lines."""

    @classmethod
    def saying(cls, name: str, why: str, log: Path) -> ServerDidNotStart:
        return cls(f"{name} {why}. The end of {log}:\n{tail(log)}")


def tail(log: Path) -> str:
    """The last lines of a log, for an error message; never raises."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return f"(no log: {error})"
    return "\n".join(text.splitlines()[-_TAIL_LINES:]) or "(empty)"
