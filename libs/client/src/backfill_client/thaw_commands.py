"""backfill thaw …: what has to do with bringing archived objects back."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from backfill_client.output import complain
from backfill_client.session import Exit

app = typer.Typer(help="Have buckets tell of restores.", no_args_is_help=True)

LocationArgument = Annotated[str, typer.Argument(help="A location's id, as the locations file has it")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing")]
LocationsOption = Annotated[
    Path | None, typer.Option("--locations", envvar="BACKFILL_LOCATIONS", help="The locations file")
]


@app.command("subscribe")
def subscribe(
    location: LocationArgument,
    dry_run: DryRunOption = False,
    event_bridge: Annotated[
        bool, typer.Option("--event-bridge", help="Tell EventBridge, not the location's thaw.events_queue")
    ] = False,
    locations: LocationsOption = None,
) -> None:
    """Have a location's bucket tell of restores, beside all that it tells others. Twice: nothing happens.

    Speaks to the bucket itself, with the credentials of the locations file: run it where bag_warmer is installed.
    """
    _run("subscribe", location, dry_run, locations, *(["--event-bridge"] if event_bridge else []))


@app.command("unsubscribe")
def unsubscribe(location: LocationArgument, dry_run: DryRunOption = False, locations: LocationsOption = None) -> None:
    """Have it stop; what it tells others stays as it is."""
    _run("unsubscribe", location, dry_run, locations)


def _run(command: str, location: str, dry_run: bool, locations: Path | None, *more: str) -> None:
    if find_spec("bag_warmer") is None:
        complain("bag_warmer is not installed here.", "Run this where the service runs: it speaks to the bucket.")
        raise typer.Exit(Exit.USAGE)
    words = [command, location, *more, *(["--dry-run"] if dry_run else [])]
    words += ["--locations", str(locations)] if locations else []
    raise typer.Exit(subprocess.run([sys.executable, "-m", "bag_warmer", *words], check=False).returncode)
