"""backfill watch, pause, resume, report, campaign …"""

from __future__ import annotations

from typing import Annotated

import typer

from backfill_client.campaign_start import campaign_id_of, given, start
from backfill_client.campaign_views import done_of, move, progress_bar, show_campaign, state_of
from backfill_client.campaigns import Campaign
from backfill_client.output import show_list
from backfill_client.session import Exit, OutputOption, connected, form_of

app = typer.Typer(help="Campaigns: many backfills at once.", no_args_is_help=True)


CampaignArgument = Annotated[str, typer.Argument(help="The campaign's id", callback=campaign_id_of, metavar="CAMPAIGN")]
ReasonOption = Annotated[str, typer.Option(help="Why; goes into the campaign's history")]
_FAILURE = ("space", "external_identifier", "version", "code", "reason")
"""As the API's own CSV names them, so that a report can be a campaign's list."""


def watch(
    context: typer.Context,
    campaign_id: CampaignArgument,
    every: Annotated[float, typer.Option(min=0.05, help="Seconds between two looks")] = 5,
    output: OutputOption = None,
) -> None:
    """Follow a campaign until it has finished; the exit code is 1 if any of its ingests failed."""
    form = form_of(context, output)
    with connected(context) as client, progress_bar(form) as bar:
        task = bar.add_task("", total=None)
        for campaign in client.campaigns.watch(campaign_id, every=every):
            move(bar, task, campaign)
    show_campaign(campaign, form)
    if campaign.progress.failed.bags or campaign.state == "refused":
        raise typer.Exit(Exit.FAILED)


def pause(
    context: typer.Context, campaign_id: CampaignArgument, reason: ReasonOption = "", output: OutputOption = None
) -> None:
    """Let nothing more of a campaign in; what is under way goes on."""
    with connected(context) as client:
        campaign = client.campaigns.pause(campaign_id, reason=reason)
    show_campaign(campaign, form_of(context, output))


def resume(
    context: typer.Context, campaign_id: CampaignArgument, reason: ReasonOption = "", output: OutputOption = None
) -> None:
    """Let more of a paused campaign in."""
    with connected(context) as client:
        campaign = client.campaigns.resume(campaign_id, reason=reason)
    show_campaign(campaign, form_of(context, output))


def report(context: typer.Context, campaign_id: CampaignArgument, output: OutputOption = None) -> None:
    """List the failed ones of a campaign; as csv, a list to begin the next one with."""
    with connected(context) as client:
        found = list(client.campaigns.failures(campaign_id))
    rows = [(one.space, one.external_identifier, one.version, one.code, one.reason) for one in found]
    show_list(form_of(context, output), _FAILURE, rows, models=found)


@app.command("list")
def list_campaigns(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="The finished ones too")] = False,
    output: OutputOption = None,
) -> None:
    """List campaigns, the newest first."""
    found: list[Campaign] = []
    with connected(context) as client:
        after = None
        while True:
            page = client.campaigns.page(after=after, limit=100, only_open=not every)
            found += page.results
            if page.next is None:
                break
            after = page.next
    rows = [(one.id, one.name, state_of(one), one.destination, done_of(one), one.progress.failed.bags) for one in found]
    columns = ("Campaign", "Name", "State", "To", "Done", "Failed")
    show_list(form_of(context, output), columns, rows, models=found)


@app.command("show")
def show(context: typer.Context, campaign_id: CampaignArgument, output: OutputOption = None) -> None:
    """Show a campaign with its history."""
    with connected(context) as client:
        campaign = client.campaigns.get(campaign_id)
    show_campaign(campaign, form_of(context, output))


@app.command("cancel")
def cancel(
    context: typer.Context, campaign_id: CampaignArgument, reason: ReasonOption = "", output: OutputOption = None
) -> None:
    """End a campaign: what has not begun is cancelled, what is under way comes to its end."""
    with connected(context) as client:
        campaign = client.campaigns.cancel(campaign_id, reason=reason)
    show_campaign(campaign, form_of(context, output))


@app.command("retry")
def retry(
    context: typer.Context, campaign_id: CampaignArgument, reason: ReasonOption = "", output: OutputOption = None
) -> None:
    """Make new ingests for those that failed."""
    with connected(context) as client:
        campaign = client.campaigns.retry(campaign_id, reason=reason)
    show_campaign(campaign, form_of(context, output))


@app.command("change")
def change(
    context: typer.Context,
    campaign_id: CampaignArgument,
    priority: Annotated[int | None, typer.Option(min=-100, max=100, help="Higher goes first")] = None,
    at_once: Annotated[int | None, typer.Option(min=1, help="Bag versions under way at the same time")] = None,
    bytes_at_once: Annotated[int | None, typer.Option(min=1, help="Bytes under way at the same time")] = None,
    bytes_per_day: Annotated[int | None, typer.Option(min=1, help="Bytes let in within 24 hours")] = None,
    output: OutputOption = None,
) -> None:
    """Change priority or limits, also while it runs."""
    limits = given({"bagsInFlight": at_once, "bytesInFlight": bytes_at_once, "bytesPerDay": bytes_per_day})
    changes = given({"priority": priority, "limits": limits or None})
    if not changes:
        raise typer.BadParameter("nothing to change: give --priority or a limit")
    with connected(context) as client:
        campaign = client.campaigns.change(campaign_id, changes)
    show_campaign(campaign, form_of(context, output))


def add_to(root: typer.Typer) -> None:
    """The commands that people type most are at the top."""
    root.add_typer(app, name="campaign")
    for command in (start, watch, pause, resume, report):
        root.command()(command)
