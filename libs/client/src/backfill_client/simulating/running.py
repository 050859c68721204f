"""From what was asked on the command line to what is simulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from backfill_client.simulating.inventory import BadInventory, Part, read_csv, read_s3_inventory
from backfill_client.simulating.policies import Policy, all_at_once, bag_by_bag, by_plan
from backfill_client.simulating.synthetic import make
from backfill_client.simulating.world import Terms
from common.errors import ConfigurationError
from common.ports import Tier
from common.thawing.budget import Budget
from common.thawing.configured import ThawBudget, octets
from common.thawing.prices import read_prices
from common.wording import count, size

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class BadQuestion(Exception):
    """The message says what to write instead."""


def archive(made_up: Mapping[str, Any], *, inventory: Path | None, s3_inventory: Path | None, depth: int) -> list[Part]:
    """The parts of the store that is asked about. Raises BadQuestion."""
    try:
        if inventory is not None:
            return read_csv(inventory, depth=depth)
        if s3_inventory is not None:
            return read_s3_inventory(s3_inventory, depth=depth)
    except BadInventory as error:
        raise BadQuestion(str(error)) from None
    mix = mix_of(made_up["mix"])
    total = _octets("--bytes", made_up["size"])
    return make(bags=made_up["bags"], objects=made_up["objects"], octets=total, mix=mix, seed=made_up["seed"])


def mix_of(text: str) -> dict[str, float]:
    """ "GLACIER=80,DEEP_ARCHIVE=20". Raises BadQuestion."""
    try:
        pairs = [part.split("=") for part in text.split(",")]
        mix = {name.strip(): float(weight) for name, weight in pairs}
    except ValueError:
        mix = {}
    if not mix or min(mix.values()) < 0 or not sum(mix.values()):
        raise BadQuestion(f'--mix is {text!r}; write classes with weights, such as "GLACIER=80,DEEP_ARCHIVE=20"')
    return mix


def budget_of(tables: Mapping[str, Any], location: str | None, *, copy_rate: str) -> Budget:
    """The thaw budget of a location; without one, nothing but what copying can take. Raises BadQuestion."""
    found = {name: table["thaw_budget"] for name, table in tables.items() if "thaw_budget" in table}
    if location is not None and location not in found:
        raise BadQuestion(f"[locations.{location}.thaw_budget] is not in the file; it has {', '.join(found) or 'none'}")
    if location is None and len(found) > 1:
        raise BadQuestion(f"several locations have a budget: choose one with --location: {', '.join(found)}")
    chosen = found.get(location or next(iter(found), ""), {})
    try:
        return ThawBudget.model_validate({"copy_rate": copy_rate} | chosen).budget
    except ValidationError as invalid:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in invalid.errors())
        raise BadQuestion(f"thaw_budget: {faults}") from None


def terms_of(
    *, tier: str, copy_rate: str, objects_rate: float | None, prices: Path | None, region: str, seed: int
) -> Terms:
    """What the world is like. Raises BadQuestion."""
    if tier not in list(Tier):
        raise BadQuestion(f"--tier is {tier!r}; write {', '.join(Tier)}")
    try:
        book = read_prices(prices)
    except ConfigurationError as error:
        raise BadQuestion(str(error)) from None
    return Terms(
        begin=BEGIN,
        tier=Tier(tier),
        copy_rate=float(_octets("--copy-rate", copy_rate.removesuffix("/s"))),
        objects_rate=objects_rate,
        book=book,
        region=region,
        seed=seed,
    )


def policies(budget: Budget, *, naive: bool) -> dict[str, Policy]:
    """The service's plan first."""
    days = budget.longest_days
    others = {"everything first": all_at_once(days), "bag by bag": bag_by_bag(days)}
    return {"just in time": by_plan(budget)} | (others if naive else {})


def about(parts: Sequence[Part], terms: Terms) -> str:
    """One line for people."""
    bags, objects = len({part.bag for part in parts}), sum(part.objects for part in parts)
    classes = sorted({part.storage_class for part in parts})
    return (
        f"{count(bags, 'bag')}, {count(objects, 'object')}, {size(sum(part.bytes for part in parts))} in"
        f" {', '.join(classes)}; {count(len(parts), 'segment')}; {terms.tier}; copying at"
        f" {size(int(terms.copy_rate))} a second"
    )


def _octets(name: str, text: str) -> int:
    try:
        value = octets(int(text) if text.isdigit() else text)
    except ValueError as error:
        raise BadQuestion(f"{name} is {text!r}; {error}") from None
    assert isinstance(value, int)
    if value <= 0:
        raise BadQuestion(f"{name} is {text!r}, but must be more than nothing")
    return value
