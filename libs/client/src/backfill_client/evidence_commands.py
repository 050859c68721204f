"""backfill evidence …; the package backfill-check adds `verify`."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from backfill_client.output import moment, show_list
from backfill_client.proof import Chain
from backfill_client.session import OutputOption, connected, form_of


class Kind(StrEnum):
    """What a report is written as."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"


app = typer.Typer(help="The evidence of every read and of what people did.", no_args_is_help=True)


@app.command("status")
def status(context: typer.Context, output: OutputOption = None) -> None:
    """How many rows are sealed into the chain, and the last checkpoint."""
    with connected(context) as client:
        found = client.evidence.chain()
    _show(context, found, output)


@app.command("checkpoint")
def checkpoint(context: typer.Context, output: OutputOption = None) -> None:
    """Seal everything now, and take a checkpoint to the second place."""
    with connected(context) as client:
        found = client.evidence.checkpoint()
    _show(context, found, output)


@app.command("export")
def export(
    context: typer.Context,
    space: Annotated[str, typer.Argument(help="Space")],
    identifier: Annotated[str | None, typer.Argument(help="External identifier of a bag; all where left out")] = None,
    version: Annotated[str | None, typer.Option("--version", help="Such as v2; all where left out")] = None,
    location: Annotated[str | None, typer.Option("--at", help="Only copies at this location")] = None,
    form: Annotated[Kind, typer.Option("--format", "-f", help="html can be printed")] = Kind.JSON,
    into: Annotated[Path | None, typer.Option("--to", help="File to write; standard output where left out")] = None,
) -> None:
    """Export the evidence for a bag or a space: every copy, and the last proof of every file."""
    with connected(context) as client:
        blocks = client.evidence.export(space, identifier, version=version, location=location, form=form.value)
        with into.open("wb") if into else nullcontext(sys.stdout.buffer) as file:
            file.writelines(blocks)


def _show(context: typer.Context, found: Chain, output: OutputOption) -> None:
    last = found.last_checkpoint
    row = (
        found.sealed,
        last.sealed if last else None,
        moment(last.created_date) if last else None,
        moment(last.written_date) if last and last.written_date else None,
        found.hash,
    )
    columns = ("Sealed", "Checkpoint", "Of", "Written", "Hash")
    show_list(form_of(context, output), columns, [row], models=[found])
