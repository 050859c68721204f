"""`backfill` as its user calls it, in the test's own process."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import typer.testing
from typer.main import get_command
from typer.testing import CliRunner, Result

from backfill_client.cli import app

# The runner builds sixty commands anew for each call, which takes most of a test's time.
typer.testing._get_command = functools.cache(get_command)


def invoke(words: Sequence[str], *, env: Mapping[str, str | None] | None = None, **more: Any) -> Result:
    """What it says and how it ends."""
    return CliRunner().invoke(app, words, env=env, **more)
