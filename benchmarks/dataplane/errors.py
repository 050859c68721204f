"""What can keep a benchmark from being run."""

from __future__ import annotations


class CannotMeasure(Exception):
    """A tool is missing, a server did not start or a client failed; the message names it and the remedy."""
