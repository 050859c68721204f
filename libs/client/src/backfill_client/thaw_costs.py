"""backfill thaw estimate, show"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from backfill_client.output import Form, advise, show_facts, show_json, show_list, show_record, size
from backfill_client.session import OutputOption, connected, form_of
from backfill_client.thaws import Billed, Cost, Restored, ThawState, TierCost


def add_to(thaw: typer.Typer) -> None:
    """`thaw estimate` and `thaw show`."""
    thaw.command("estimate")(estimate)
    thaw.command("show")(show)


def estimate(
    context: typer.Context,
    location: Annotated[str, typer.Argument(help="Id of the location that would be thawed")],
    space: Annotated[str | None, typer.Option(help="Only bags of this space")] = None,
    bag: Annotated[str | None, typer.Option(help='Only this one: "space/identifier" or "space/identifier/v2"')] = None,
    to: Annotated[str | None, typer.Option(help="Id of the location that it would be copied to")] = None,
    tier: Annotated[str | None, typer.Option(help="Expedited, Standard or Bulk")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=365, help="Days that readable copies last")] = None,
    output: OutputOption = None,
) -> None:
    """What thawing a bag, a space or a whole location would cost and take. Nothing is asked of any store."""
    with connected(context) as client:
        found = client.thaws.estimate(location, space=space, bag=bag, to=to, tier=tier, restored_days=days)
    form = form_of(context, output)
    if form is Form.JSON:
        show_json(found)
        return
    if form is Form.TABLE:
        show_facts((("Bags", f"{found.bags:,}"), ("Objects", f"{found.objects:,}"), ("Bytes", size(found.bytes))))
    if found.cost is None:
        advise(found.cost_reason or "")
        return
    show_cost(form, found.cost)


def show(
    context: typer.Context,
    ingest_id: Annotated[str | None, typer.Argument(help="An ingest's id")] = None,
    campaign: Annotated[str | None, typer.Option(help="A campaign's id instead")] = None,
    output: OutputOption = None,
) -> None:
    """What thawing has cost so far, beside the estimate, and when it will be over."""
    if (ingest_id is None) == (campaign is None):
        raise typer.BadParameter("name an ingest, or a campaign with --campaign")
    with connected(context) as client:
        found = client.thaws.of_ingest(ingest_id) if ingest_id else client.thaws.of_campaign(str(campaign))
    form = form_of(context, output)
    if show_record(form, found):
        return
    show_facts(_facts(found))
    _show_bills(form, found.actual)


def _facts(found: ThawState) -> list[tuple[str, object]]:
    cost, progress, waiting = found.estimate and found.estimate.cost, found.progress, found.waiting
    spent = ", ".join(f"{one.total} {one.currency}" for one in found.actual.costs) or "nothing"
    return [
        ("Verified", f"{progress.percent} % ({progress.objects:,} of {progress.of_objects:,})" if progress else None),
        ("Waiting", f"{waiting.parts} parts: {waiting.reason}" if waiting else None),
        ("Expected", found.expected_date),
        ("Estimated", f"{cost.thawing[0].total} {cost.currency} for thawing" if cost and cost.thawing else None),
        ("Spent", spent if found.actual.complete else f"{spent}, and what the price book has no row for"),
    ]


def _show_bills(form: Form, billed: Billed) -> None:
    columns = ("Class", "Tier", "Days", "What", "Objects", "Bytes", "Cost")
    rows = [
        (one.storage_class, one.tier, one.days, _what(one), one.objects, size(one.bytes), one.cost)
        for one in billed.restores
    ]
    show_list(form, columns, rows, models=billed.restores)


def _what(one: Restored) -> str:
    return "prolonged" if one.extension else "restored"


def _money(one: TierCost, currency: str) -> tuple[str, ...]:
    return one.tier, f"{one.total} {currency}", one.retrieval, one.requests, one.readable_copies


def show_cost(form: Form, cost: Cost) -> None:
    """By tier, and in all."""
    columns = ("Tier", "Thawing", "Retrieval", "Requests", "Copies", "Within", "Beyond the budget")
    rows = [
        (*_money(one, cost.currency), str(timedelta(seconds=one.within_seconds)), "; ".join(one.exceeds))
        for one in cost.thawing
    ]
    show_list(form, columns, rows, models=cost.thawing)
    if form is Form.CSV:
        return
    parts = (("Reading", cost.reading), ("Egress", cost.egress), ("In all, by the first tier", cost.total))
    show_facts((name, f"{amount} {cost.currency}" if amount else None) for name, amount in parts)
    if cost.unverified:
        advise(f"By prices that nobody has verified: {', '.join(cost.unverified)}.")
    if cost.unknown:
        advise(f"Left out, because the price book has no row for it: {', '.join(cost.unknown)}.")
