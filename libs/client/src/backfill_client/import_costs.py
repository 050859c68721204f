"""How the command line shows what an import's thaws would cost, and have cost."""

from __future__ import annotations

from typing import Any

from backfill_client.imports import ImportPreview, ImportThawing
from backfill_client.output import Form, advise, show_facts, size
from backfill_client.thaw_costs import show_cost


def show_import_costs(told: ImportPreview) -> None:
    """What of the tag files is frozen, and what thawing it comes to."""
    frozen = told.tag_files
    if frozen:
        by_class = "\n".join(f"{name}: {one.objects:,} ({size(one.bytes)})" for name, one in frozen.classes.items())
        looked = f"{frozen.looked_at.bags:,} bags" + ("" if frozen.looked_at.complete else ", and there are more")
        show_facts(
            [
                ("Looked at", looked),
                ("Frozen tag files", f"{frozen.objects:,} ({size(frozen.bytes)})"),
                ("By class", by_class or None),
            ]
        )
        if not frozen.looked_at.complete:
            advise(frozen.said)
    if told.cost and told.cost.requests:
        show_cost(Form.TABLE, told.cost)
    if told.cost_reason:
        advise(told.cost_reason if told.cost else f"What it would cost is not known: {told.cost_reason}")


def costs_of(told: ImportPreview) -> dict[str, Any]:
    """The same for programs."""
    return {"tagFiles": told.tag_files, "cost": told.cost, "costReason": told.cost_reason}


def frozen_of(thawing: ImportThawing | None) -> str | None:
    """What was found frozen so far; None where that is nothing."""
    if thawing is None or not thawing.estimate.objects:
        return None
    one = thawing.estimate
    return f"{one.objects:,} tag files ({size(one.bytes)}), estimated at {one.total} {one.currency or ''}".rstrip()


def spent_on(thawing: ImportThawing | None) -> str | None:
    """What was asked of the stores so far; None where that is nothing."""
    if thawing is None or not thawing.actual.restores:
        return None
    spent = ", ".join(f"{one.total} {one.currency}" for one in thawing.actual.costs)
    return spent if thawing.actual.complete else f"{spent}, and what the price book has no row for"
