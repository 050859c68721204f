"""Commands that other installed packages add: entry points of the group `backfill.commands`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points

import typer

GROUP = "backfill.commands"


def add_to(app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add them: "check" to the app itself, "evidence.verify" to its group `evidence`."""
    for found in sorted(entry_points(group=GROUP), key=lambda one: one.name):
        group, _, name = found.name.rpartition(".")
        (groups[group] if group else app).command(name)(found.load())
