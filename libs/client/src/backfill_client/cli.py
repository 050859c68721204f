"""The `backfill` command line. Exit codes: 0 ok, 1 failed work, 2 usage, 3 API unreachable, 4 API refused."""

from __future__ import annotations

from typing import Annotated

import typer

from backfill_client import bags_commands, campaign_commands, ingest_commands
from backfill_client.output import Form, show_json, show_table
from backfill_client.session import OutputOption, connected, form_of, session_for

app = typer.Typer(
    help="Copies archived bags to a further storage provider, and shows what is where.",
    epilog="Exit codes: 0 ok, 1 failed work, 2 usage, 3 API unreachable, 4 API refused.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(bags_commands.app, name="bags")
app.add_typer(ingest_commands.app, name="ingest")
campaign_commands.add_to(app)


@app.callback()
def general(
    context: typer.Context,
    api: Annotated[str | None, typer.Option(envvar="BACKFILL_API", help="Address of the ingests API")] = None,
    register: Annotated[
        str | None,
        typer.Option("--register-api", envvar="BACKFILL_REGISTER_API", help="Of the bag register, if it is another"),
    ] = None,
    output: Annotated[
        Form, typer.Option("--output", "-o", help="table for people, json and csv for programs")
    ] = Form.TABLE,
) -> None:
    """Copies archived bags to a further storage provider, and shows what is where."""
    context.obj = session_for(api=api, register=register, output=output)


@app.command("locations")
def locations(context: typer.Context, output: OutputOption = None) -> None:
    """List where bags can lie."""
    with connected(context) as client:
        found = client.get_locations()
    if form_of(context, output) is Form.JSON:
        show_json(found)
        return
    show_table(
        ("Location", "Title", "Provider", "Bucket", "Prefix"),
        [(one.id, one.title, one.provider, one.bucket, one.prefix) for one in found],
    )
