"""backfill evidence …; the package backfill-check adds `verify`."""

from __future__ import annotations

import typer

from backfill_client.output import moment, show_list
from backfill_client.proof import Chain
from backfill_client.session import OutputOption, connected, form_of

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
