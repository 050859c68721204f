"""How campaigns are shown to people."""

from __future__ import annotations

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from backfill_client.campaigns import Campaign, CampaignPreview
from backfill_client.output import Form, advise, console, moment, show_facts, show_record, show_table, size
from backfill_client.thaw_costs import show_cost


def show_campaign(campaign: Campaign, form: Form) -> None:
    if show_record(form, campaign):
        return
    progress, pace = campaign.progress, campaign.pace
    show_facts(
        [
            ("Campaign", campaign.id),
            ("Name", campaign.name or None),
            ("State", state_of(campaign)),
            ("Reason", campaign.reason),
            ("To", campaign.destination),
            ("Done", done_of(campaign)),
            ("Bytes", f"{size(progress.succeeded.bytes)} of {size(progress.selected.bytes)}"),
            ("Failed", progress.failed.bags or None),
            ("Already there", progress.already_there.bags or None),
            ("Under way", progress.under_way.bags or None),
            ("Expected by", moment(pace.expected_date) if pace else None),
        ]
    )
    if campaign.events:
        show_table(
            ("When", "Event", "By"), [(moment(one.created_date), one.description, one.by) for one in campaign.events]
        )


def state_of(campaign: Campaign) -> str:
    return f"{campaign.state} (paused)" if campaign.paused and not campaign.finished else campaign.state


def done_of(campaign: Campaign) -> str:
    return f"{campaign.progress.succeeded.bags:,} of {campaign.progress.selected.bags:,} bag versions"


def progress_bar(form: Form) -> Progress:
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=console(), disable=form is not Form.TABLE, transient=True)


def move(bar: Progress, task: TaskID, campaign: Campaign) -> None:
    progress, pace = campaign.progress, campaign.pace
    done = progress.succeeded.bags + progress.failed.bags + progress.already_there.bags
    told = [f"{size(progress.succeeded.bytes)} of {size(progress.selected.bytes)}"]
    if pace and pace.last_hour.bytes:
        told.append(f"{size(pace.last_hour.bytes // 3600)}/s")
    if pace and pace.expected_date:
        told.append(f"until {moment(pace.expected_date)}")
    if progress.failed.bags:
        told.append(f"{progress.failed.bags} failed")
    if campaign.paused:
        told.append("paused")
    bar.update(task, completed=done, total=progress.selected.bags or None, description=", ".join(told))


def show_preview(told: CampaignPreview, form: Form) -> None:
    if show_record(form, told):
        return
    part = told.would_create
    show_facts(
        [
            ("To", told.destination),
            ("Bag versions", f"{part.bags:,}"),
            ("Files", f"{part.files:,}"),
            ("Bytes", size(part.bytes)),
            ("First", "\n".join(told.first) or None),
        ]
    )
    if told.cost is not None:
        show_cost(form, told.cost)
    elif told.cost_reason:
        advise(f"What it would cost is not known: {told.cost_reason}")
