"""backfill requirements …"""

from __future__ import annotations

from typing import Annotated

import typer

from backfill_client.output import Form, moment, show_list, size
from backfill_client.requirements import Requirement, RequirementPreview
from backfill_client.session import OutputOption, connected, form_of

app = typer.Typer(help="Which locations must hold which bags.", no_args_is_help=True)


@app.command("list")
def list_requirements(context: typer.Context, output: OutputOption = None) -> None:
    """List what is required, and what the last audit found missing."""
    with connected(context) as client:
        found = client.requirements.every()
    _show(context, found, output)


@app.command("state")
def state(
    context: typer.Context,
    location: Annotated[str, typer.Argument(help="Id of the location")],
    space: Annotated[str | None, typer.Option(help="Only for bags of this space")] = None,
    heal: Annotated[
        int | None, typer.Option(min=1, help="Let audits copy what is missing, so many bag versions at a time")
    ] = None,
    at_once: Annotated[int, typer.Option(min=1, help="Of those, bag versions under way at the same time")] = 50,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what is missing, and state nothing")] = False,
    output: OutputOption = None,
) -> None:
    """Require a location; stating it again changes only the healing."""
    with connected(context) as client:
        if dry_run:
            _show_preview(context, client.requirements.preview(location, space=space, heal_at_most=heal), output)
            return
        stated = client.requirements.state(location, space=space, heal_at_most=heal, bags_in_flight=at_once)
    _show(context, [stated], output)


@app.command("remove")
def remove(context: typer.Context, requirement_id: Annotated[int, typer.Argument(help="As `list` shows it")]) -> None:
    """Take a requirement back; campaigns that it began go on."""
    with connected(context) as client:
        client.requirements.take_back(requirement_id)


def _show_preview(context: typer.Context, found: RequirementPreview, output: Form | None) -> None:
    columns = ("Would", "Missing", "Bytes", "First campaign")
    first = found.campaigns.bags if found.campaigns else None
    row = (found.would, found.missing.bags, size(found.missing.bytes), first)
    show_list(form_of(context, output), columns, [row], models=[found])


def _show(context: typer.Context, found: list[Requirement], output: Form | None) -> None:
    columns = ("Id", "Location", "Space", "Heals", "Missing", "Bytes", "Failed", "Audited")
    show_list(form_of(context, output), columns, [_row(one) for one in found], models=found)


def _row(one: Requirement) -> tuple[object, ...]:
    audit = one.last_audit
    heals = f"{one.healing.at_most} at a time" if one.healing else "no"
    named = (one.id, one.location, one.space or "every", heals)
    if audit is None:
        return (*named, None, None, None, None)
    return (*named, audit.missing.bags, size(audit.missing.bytes), audit.failed.bags, moment(audit.date))
