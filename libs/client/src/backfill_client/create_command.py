"""backfill ingest create"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from backfill_client.asking import DryRun, Wish
from backfill_client.bags_commands import IdentifierArgument, SpaceArgument, VersionOption
from backfill_client.following import follow
from backfill_client.ingest_commands import show_ingest
from backfill_client.models import Ingest
from backfill_client.output import Form, advise, show_facts, show_json, show_list, size
from backfill_client.session import Exit, OutputOption, connected, form_of
from backfill_client.thaw_costs import show_cost


def create(
    context: typer.Context,
    space: SpaceArgument,
    external_identifier: IdentifierArgument,
    version: VersionOption = None,
    to: Annotated[
        list[str] | None,
        typer.Option(help="Id of a location; more than once for several, not at all if there is only one"),
    ] = None,
    source: Annotated[str | None, typer.Option("--from", help="Id of the location to copy from")] = None,
    tier: Annotated[str | None, typer.Option(help="How fast to thaw: Expedited, Standard or Bulk")] = None,
    restored_days: Annotated[int | None, typer.Option(min=1, help="Days that thawed copies shall last")] = None,
    priority: Annotated[int | None, typer.Option(min=0, max=100, help="Higher goes first")] = None,
    deadline: Annotated[datetime | None, typer.Option(help="UTC, such as 2030-01-31T18:00:00")] = None,
    client_tag: Annotated[str | None, typer.Option(help="Your own name for it; shown with the ingest")] = None,
    callback_url: Annotated[str | None, typer.Option(help="Told when the ingest has finished")] = None,
    key: Annotated[
        str | None, typer.Option(help="Idempotency-Key: the same key gets the same answer; a fresh one if left out")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would come to")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it until it has finished")] = False,
    every: Annotated[float, typer.Option(min=0.05, help="Seconds between two looks")] = 2,
    output: OutputOption = None,
) -> None:
    """Ask for a copy of a bag version; asking again while it is under way shows the same ingest.

    With --wait the exit code is 1 if it failed.
    """
    wish = Wish(
        space=space,
        external_identifier=external_identifier,
        version=version,
        destinations=tuple(to or ()),
        source=source,
        tier=tier,
        restored_days=restored_days,
        priority=priority,
        deadline=None if deadline is None else deadline.replace(tzinfo=UTC),
        client_tag=client_tag,
        callback_url=callback_url,
    )
    form = form_of(context, output)
    with connected(context) as client:
        if dry_run:
            _show_preview(client.asking.preview(wish), form)
            return
        found = client.asking.create(wish, key=key)
        if wait:
            found = [follow(client, one.id, every=every, form=form) for one in found]
    _show(found, form, several=wish.several)
    if wait and any(one.status == "failed" for one in found):
        raise typer.Exit(Exit.FAILED)


def _show(found: list[Ingest], form: Form, *, several: bool) -> None:
    if not several and form is not Form.CSV:
        show_ingest(found[0], form)
        return
    rows = [
        (one.id, one.name, one.destination.id if one.destination else None, one.status, one.error and one.error.code)
        for one in found
    ]
    show_list(form, ("Ingest", "Bag", "To", "Status", "Error"), rows, models=found)


def _show_preview(told: DryRun, form: Form) -> None:
    if form is Form.JSON:
        show_json(told)
        return
    rows = [
        (one.destination.id, one.version, one.would, f"{one.objects:,}", size(one.bytes), one.said)
        for one in told.results
    ]
    show_list(form, ("To", "Version", "Would", "Files", "Size", "What"), rows, models=told.results)
    if form is Form.TABLE:
        new = told.would_create
        show_facts([("In all", f"{new.ingests:,} ingests, {new.objects:,} files, {size(new.bytes)}")])
        if told.cost is not None:
            show_cost(form, told.cost)
        elif told.cost_reason and new.ingests:
            advise(f"What it would cost is not known: {told.cost_reason}")
