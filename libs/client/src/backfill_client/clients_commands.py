"""backfill clients …: who may call. And backfill token."""

from __future__ import annotations

from typing import Annotated

import typer

from backfill_client.models import ApiClient
from backfill_client.output import moment, show_facts, show_list, show_record
from backfill_client.session import OutputOption, connected, form_of

app = typer.Typer(help="Make, list and revoke OAuth clients and API keys (scope operate).", no_args_is_help=True)

ReasonOption = Annotated[str, typer.Option("--reason", help="why; kept with who and when")]


@app.command("create")
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="what people call it")],
    scope: Annotated[list[str], typer.Option("--scope", help="ingests:read, ingests:write, bags:read or operate")],
    key: Annotated[bool, typer.Option("--key", help="an API key instead of an OAuth client")] = False,
    days: Annotated[int | None, typer.Option("--days", help="how long it may call; for ever where absent")] = None,
    reason: ReasonOption = "",
    output: OutputOption = None,
) -> None:
    """Make a client or key, and show its secret: it is never shown again."""
    kind = "key" if key else "client"
    with connected(context) as client:
        made = client.create_client(name, scopes=scope, kind=kind, expires_in_days=days, reason=reason)
    if show_record(form_of(context, output), made):
        return
    show_facts([("Id", made.id), ("Secret", made.secret), ("Scopes", " ".join(made.scopes)), ("Ends", _ends(made))])


@app.command("list")
def every(context: typer.Context, output: OutputOption = None) -> None:
    """List clients and keys, revoked ones too."""
    with connected(context) as client:
        found = client.get_clients()
    columns = ("Id", "Name", "Scopes", "Made by", "Ends", "Revoked", "Last used")
    rows = [
        (
            one.id,
            one.name,
            " ".join(one.scopes),
            one.created_by,
            _ends(one),
            moment(one.revoked_date),
            moment(one.last_used_date),
        )
        for one in found
    ]
    show_list(form_of(context, output), columns, rows, models=found)


@app.command("revoke")
def revoke(
    context: typer.Context,
    client_id: Annotated[str, typer.Argument(help="its id, such as bfc_… or bfk_…")],
    reason: ReasonOption,
    output: OutputOption = None,
) -> None:
    """Shut a client or key out, for good."""
    with connected(context) as client:
        revoked = client.revoke_client(client_id, reason=reason)
    if show_record(form_of(context, output), revoked):
        return
    show_facts([("Id", revoked.id), ("Name", revoked.name), ("Revoked", moment(revoked.revoked_date))])


def _ends(client: ApiClient) -> str | None:
    return moment(client.expires_date)
