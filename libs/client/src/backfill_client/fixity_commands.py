"""backfill fixity …"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from backfill_client.output import Form, moment, show_list, size
from backfill_client.proof import Check, FixityCopy, FixityPolicy
from backfill_client.session import OutputOption, connected, form_of


class Standing(StrEnum):
    """Which copies are asked for."""

    OVERDUE = "overdue"
    DUE = "due"
    BAD = "bad"
    UNREAD = "unread"
    ALL = "all"


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


@app.command("status")
def status(context: typer.Context, output: OutputOption = None) -> None:
    """How many copies are due and overdue by policy, and how many the last checks found bad."""
    with connected(context) as client:
        found = client.fixity.policies()
    _show_policies(context, found, output)


@app.command("copies")
def copies(
    context: typer.Context,
    standing: Annotated[Standing, typer.Argument(help="Which ones")] = Standing.OVERDUE,
    location: Annotated[str | None, typer.Option("--at", help="Only at this location")] = None,
    output: OutputOption = None,
) -> None:
    """List registered copies that are overdue, due, bad, or unread; or all."""
    columns = ("Bag", "Version", "Location", "Evidence", "Verdict", "Read", "Checked", "Shown", "Due", "Overdue")
    with connected(context) as client:
        found = list(client.fixity.copies(standing=standing.value, location=location))
    show_list(form_of(context, output), columns, [_copy(one) for one in found], models=found)


@app.command("policy")
def policy(
    context: typer.Context,
    location: Annotated[str, typer.Argument(help="Id of the location")],
    days: Annotated[int, typer.Option("--every", min=1, help="Days within which every copy is read again")],
    space: Annotated[str | None, typer.Option(help="Only bags of this space")] = None,
    at_once: Annotated[int, typer.Option(min=1, help="Checks under way at the same time")] = 10,
    rate: Annotated[int | None, typer.Option(min=1, help="Bytes per second on average")] = None,
    output: OutputOption = None,
) -> None:
    """Have the copies at a location read again; stating it again changes it."""
    with connected(context) as client:
        stated = client.fixity.state_policy(
            location, every_days=days, space=space, at_once=at_once, bytes_per_second=rate
        )
    _show_policies(context, [stated], output)


@app.command("remove")
def remove(context: typer.Context, policy_id: Annotated[int, typer.Argument(help="As `status` shows it")]) -> None:
    """Take a policy back; checks that run go on."""
    with connected(context) as client:
        client.fixity.take_back_policy(policy_id)


def _copy(one: FixityCopy) -> tuple[object, ...]:
    name = f"{one.space}/{one.external_identifier}"
    read = moment(one.read_date) if one.read_date else None
    due = moment(one.due_date) if one.due_date else None
    checked = moment(one.checked_date) if one.checked_date else None
    shown = (one.verdict, read, checked, one.checked_evidence_class, due, "yes" if one.overdue else "no")
    return name, one.version, one.location, one.evidence_class, *shown


def _show_policies(context: typer.Context, found: list[FixityPolicy], output: Form | None) -> None:
    columns = (
        "Id",
        "Location",
        "Space",
        "Days",
        "At once",
        "Rate",
        "Copies",
        "Due",
        "Overdue",
        "Running",
        "Oldest due",
    )
    show_list(form_of(context, output), columns, [_policy(one) for one in found], models=found)


def _policy(one: FixityPolicy) -> tuple[object, ...]:
    rate = f"{size(one.bytes_per_second)}/s" if one.bytes_per_second else None
    named = (one.id, one.location, one.space or "every", one.every_days, one.at_once, rate)
    counts = one.copies
    if counts is None:
        return (*named, None, None, None, None, None)
    oldest = moment(counts.oldest_due_date) if counts.oldest_due_date else None
    return (*named, counts.all, counts.due, counts.overdue, counts.running, oldest)


def _show(context: typer.Context, found: Check, output: Form | None) -> None:
    columns = ("Id", "Location", "State", "Verdict", "Files", "Read", "Bad", "Frozen", "Why")
    counts = found.counts
    told = found.why or found.error or found.last_error
    row = (found.id, found.location, found.state, found.verdict, counts.files, size(counts.bytes), counts.bad)
    show_list(form_of(context, output), columns, [(*row, counts.unread, told)], models=[found])
