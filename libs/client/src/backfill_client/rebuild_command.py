"""backfill rebuild: the register anew from what lies at the locations."""

from __future__ import annotations

from typing import Annotated

import typer

from backfill_client.models import Import
from backfill_client.output import show_list
from backfill_client.session import Exit, OutputOption, connected, form_of


def rebuild(
    context: typer.Context,
    locations: Annotated[list[str], typer.Argument(help="Ids of locations: of the primary copies, then the others")],
    every: Annotated[float, typer.Option(min=0.05, help="Seconds between two looks")] = 2,
    output: OutputOption = None,
) -> None:
    """Register what lies at the locations, after the ledger or the record store was lost.

    Each bag gets its primary copy from the first location that has it; its copies at the others are listed, not
    verified. File lists are written anew. What is registered stays as it is.
    """
    done: list[Import] = []
    with connected(context) as client:
        for number, location in enumerate(locations):
            begun = client.start_import(location, copies=number > 0)
            *_, ended = client.watch_import(begun.id, every=every)
            done.append(ended)
    rows = [
        (one.location, one.state, one.counts.registered, one.counts.known, one.counts.refused, one.id) for one in done
    ]
    columns = ("Location", "State", "Registered", "Known", "Refused", "Import")
    show_list(form_of(context, output), columns, rows, models=done)
    if any(one.state == "failed" or one.counts.refused for one in done):
        raise typer.Exit(Exit.FAILED)
