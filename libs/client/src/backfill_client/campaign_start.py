"""backfill start"""

from __future__ import annotations

import csv
import io
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from backfill_client.campaign_views import show_campaign, show_preview
from backfill_client.campaigns import CampaignPreview
from backfill_client.output import Form, complain
from backfill_client.session import Exit, OutputOption, connected, form_of

_DATE = ["%Y-%m-%d"]


def campaign_id_of(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no campaign's id: a UUID, as `start` shows it") from None


def start(
    context: typer.Context,
    to: Annotated[str, typer.Option(help="Id of the location that bags are copied to")],
    name: Annotated[str, typer.Option(help="What people will call it")] = "",
    space: Annotated[str | None, typer.Option(help="Only bags of this space")] = None,
    after: Annotated[
        datetime | None, typer.Option(formats=_DATE, help="Only bags deposited on this day or later")
    ] = None,
    before: Annotated[datetime | None, typer.Option(formats=_DATE, help="Only bags deposited before this day")] = None,
    largest: Annotated[int | None, typer.Option(min=0, help="Leave out bag versions of more bytes")] = None,
    most: Annotated[int | None, typer.Option(min=1, help="At most so many bag versions")] = None,
    bags: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            allow_dash=True,
            help='A file with "space/identifier/v2" on each line, or a CSV that a list or report printed; - is stdin',
        ),
    ] = None,
    failed_of: Annotated[str | None, typer.Option(help="The failed ones of this earlier campaign")] = None,
    order: Annotated[str, typer.Option(help="oldest, smallest or registered first")] = "oldest",
    priority: Annotated[int, typer.Option(min=-100, max=100, help="Higher goes first")] = 0,
    at_once: Annotated[int, typer.Option(min=1, help="Bag versions under way at the same time")] = 100,
    bytes_at_once: Annotated[int | None, typer.Option(min=1, help="Bytes under way at the same time")] = None,
    bytes_per_day: Annotated[int | None, typer.Option(min=1, help="Bytes let in within 24 hours")] = None,
    expect: Annotated[int | None, typer.Option(min=0, help="Begin only if exactly so many are selected")] = None,
    tier: Annotated[str | None, typer.Option(help="How fast to thaw: Expedited, Standard or Bulk")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would be about")] = False,
    output: OutputOption = None,
) -> None:
    """Begin a campaign: show what it is about, ask, and begin."""
    missing = {"space": space, "depositedAfter": _day(after), "depositedBefore": _day(before)}
    request = {
        "name": name,
        "destination": {"id": to},
        "selection": _selection(missing | {"largestBytes": largest, "most": most}, bags, failed_of),
        "order": order,
        "priority": priority,
        "limits": given({"bagsInFlight": at_once, "bytesInFlight": bytes_at_once, "bytesPerDay": bytes_per_day}),
        "options": given({"tier": tier}),
    }
    form = form_of(context, output)
    with connected(context) as client:
        told = client.campaigns.preview(request)
        if dry_run or form is Form.TABLE:
            show_preview(told, form)
        if dry_run:
            return
        _agree(told, expect=expect, yes=yes)
        campaign = client.campaigns.start(request | {"expectedCount": told.would_create.bags})
    show_campaign(campaign, form)


def _selection(missing: dict[str, Any], bags: Path | None, failed_of: str | None) -> dict[str, Any]:
    conditions = given(missing)
    lists = [option for option, value in (("--bags", bags), ("--failed-of", failed_of)) if value is not None]
    if len(lists) + bool(conditions) > 1:
        raise typer.BadParameter("choose by conditions, by --bags or by --failed-of, not by several at once")
    if bags is not None:
        text = sys.stdin.read() if str(bags) == "-" else bags.read_text("utf-8")
        return {"bags": _listed(text)}
    return {"failedOf": campaign_id_of(failed_of)} if failed_of is not None else {"missing": conditions}


def _listed(text: str) -> list[str]:
    """The names on the lines; or those in a CSV with the columns that lists and reports have."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or not {"space", "external_identifier"} <= set(lines[0].split(",")):
        return lines
    rows = csv.DictReader(io.StringIO(text))
    names = ([row["space"], row["external_identifier"], row.get("version")] for row in rows)
    return ["/".join(part for part in name if part) for name in names]


def _agree(told: CampaignPreview, *, expect: int | None, yes: bool) -> None:
    bags = told.would_create.bags
    if expect is not None and expect != bags:
        complain(f"{bags} bag versions are selected, {expect} were expected. Nothing was begun.")
        raise typer.Exit(Exit.FAILED)
    if bags == 0:
        complain("There is nothing to copy: the location lacks none of the bag versions selected.")
        raise typer.Exit(Exit.OK)
    if not yes:
        typer.confirm(f"Begin {bags:,} backfills to {told.destination}?", abort=True, err=True)


def _day(value: datetime | None) -> str | None:
    return None if value is None else value.replace(tzinfo=UTC).isoformat()


def given(values: dict[str, Any]) -> dict[str, Any]:
    """What has a value."""
    return {name: value for name, value in values.items() if value is not None}
