"""backfill fixity …"""

from __future__ import annotations

from typing import Annotated

import typer

from backfill_client.output import Form, show_list, size
from backfill_client.proof import Check
from backfill_client.session import OutputOption, connected, form_of

app = typer.Typer(help="Reading registered copies again.", no_args_is_help=True)


@app.command("check")
def check(
    context: typer.Context,
    space: Annotated[str, typer.Argument(help="Space of the bag")],
    identifier: Annotated[str, typer.Argument(help="External identifier of the bag")],
    location: Annotated[str, typer.Option("--at", help="Location of the copy")],
    version: Annotated[str | None, typer.Option("--version", help="Such as v2; the latest where left out")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Until the verdict is there; exit status 1 unless good")] = False,
    every: Annotated[float, typer.Option(min=0.05, help="Seconds between looks while waiting")] = 2,
    output: OutputOption = None,
) -> None:
    """Have every byte of a registered copy read again. Nothing is thawed for it."""
    with connected(context) as client:
        found = client.fixity.check(space, identifier, location=location, version=version)
        if wait:
            *_, found = client.fixity.watch(found.id, every=every)
    _show(context, found, output)
    if wait and found.verdict != "good":
        raise typer.Exit(1)


@app.command("show")
def show(
    context: typer.Context,
    check_id: Annotated[str, typer.Argument(help="As `check` shows it")],
    output: OutputOption = None,
) -> None:
    """Show how far a check is, and its verdict."""
    with connected(context) as client:
        found = client.fixity.get_check(check_id)
    _show(context, found, output)


def _show(context: typer.Context, found: Check, output: Form | None) -> None:
    columns = ("Id", "Location", "State", "Verdict", "Files", "Read", "Bad", "Frozen", "Why")
    counts = found.counts
    told = found.why or found.error or found.last_error
    row = (found.id, found.location, found.state, found.verdict, counts.files, size(counts.bytes), counts.bad)
    show_list(form_of(context, output), columns, [(*row, counts.unread, told)], models=[found])
