"""The `backfill` command line. Exit codes: 0 ok, 1 failed work, 2 usage, 3 API unreachable, 4 API refused."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backfill_client import (
    bags_commands,
    callback_commands,
    campaign_commands,
    clients_commands,
    evidence_commands,
    extensions,
    fixity_commands,
    ingest_commands,
    operate_commands,
    report_commands,
    requirement_commands,
    thaw_commands,
    thaw_costs,
)
from backfill_client.create_command import create
from backfill_client.credentials import ClientCredentials
from backfill_client.doctor_command import doctor
from backfill_client.events_command import events
from backfill_client.output import Form, show_list
from backfill_client.rebuild_command import rebuild
from backfill_client.session import OutputOption, Session, connected, credentials_for, form_of, session_for, telling
from backfill_client.simulating.command import simulate

app = typer.Typer(
    help="Copies archived bags to a further storage provider, and shows what is where.",
    epilog="Exit codes: 0 ok, 1 failed work, 2 usage, 3 API unreachable, 4 API refused.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(bags_commands.app, name="bags")
app.add_typer(clients_commands.app, name="clients")
ingest_commands.app.command("create")(create)
callback_commands.add_to(ingest_commands.app)
app.add_typer(ingest_commands.app, name="ingest")
campaign_commands.add_to(app)
operate_commands.add_to(app, ingest_commands.app)
report_commands.add_to(app, bags_commands.app)
app.add_typer(requirement_commands.app, name="requirements")
app.add_typer(thaw_commands.app, name="thaw")
thaw_costs.add_to(thaw_commands.app)
app.command("doctor")(doctor)
app.command("rebuild")(rebuild)
app.command("events")(events)
app.command("simulate")(simulate)
app.add_typer(evidence_commands.app, name="evidence")
app.add_typer(fixity_commands.app, name="fixity")
bags_commands.app.command("verify")(fixity_commands.check)
extensions.add_to(app, {"evidence": evidence_commands.app})


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
    credentials: Annotated[
        Path | None,
        typer.Option(envvar="BACKFILL_CREDENTIALS", help="JSON file with client_id and client_secret, or api_key"),
    ] = None,
    client_id: Annotated[str | None, typer.Option(envvar="BACKFILL_CLIENT_ID", help="An OAuth client's id")] = None,
    client_secret: Annotated[
        str | None, typer.Option(envvar="BACKFILL_CLIENT_SECRET", help="Its secret; better kept in the variable")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(envvar="BACKFILL_API_KEY", help="An API key; better kept in the variable")
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="BACKFILL_TOKEN", help="An access token; goes before all others")
    ] = None,
) -> None:
    """Copies archived bags to a further storage provider, and shows what is where."""
    found = credentials_for(
        token=token, api_key=api_key, client_id=client_id, client_secret=client_secret, path=credentials
    )
    context.obj = session_for(api=api, register=register, output=output, credentials=found)


@app.command("token")
def token(context: typer.Context) -> None:
    """Print a fresh access token: export BACKFILL_TOKEN=$(backfill token)."""
    session: Session = context.obj
    with telling():
        auth = session.credentials.auth(session.api)
        if not isinstance(auth, ClientCredentials):
            raise typer.BadParameter("a client's id and secret are needed", param_hint="--client-id, --credentials")
        print(auth.fetch())


@app.command("locations")
def locations(context: typer.Context, output: OutputOption = None) -> None:
    """List where bags can lie."""
    with connected(context) as client:
        found = client.get_locations()
    columns = ("Location", "Title", "Provider", "Bucket", "Prefix")
    rows = [(one.id, one.title, one.provider, one.bucket, one.prefix) for one in found]
    show_list(form_of(context, output), columns, rows, models=found)
