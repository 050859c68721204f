"""What a request may say about how its ingest is carried out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from common.ports import Tier
from common.web.answers import instant
from common.web.fields import Invalid

_MOST_DAYS = 365
_MOST_PRIORITY = 100
_LONGEST_TAG = 200


@dataclass(frozen=True, slots=True)
class Options:
    """As the ingest shows and keeps them."""

    shown: Mapping[str, Any] = field(default_factory=dict)
    deadline: datetime | None = None


NO_OPTIONS = Options()


def read_options(given: Mapping[str, Any]) -> Options:
    """Raises Invalid for the first value that is wrong. What is not known is ignored."""
    shown: dict[str, Any] = {}
    if (tier := given.get("tier")) is not None:
        shown["tier"] = _tier(tier)
    if (days := given.get("restoredDays")) is not None:
        shown["restoredDays"] = _number("restoredDays", days, 1, _MOST_DAYS)
    if (priority := given.get("priority")) is not None:
        shown["priority"] = _number("priority", priority, 0, _MOST_PRIORITY)
    deadline = None
    if (text := given.get("deadline")) is not None:
        deadline = _moment(text)
        shown["deadline"] = instant(deadline)
    if (tag := given.get("clientTag")) is not None:
        shown["clientTag"] = _tag(tag)
    return Options(shown, deadline)


def check_deadline(deadline: datetime | None, *, now: datetime) -> None:
    """Raises Invalid for one that has passed."""
    if deadline is not None and deadline <= now:
        raise Invalid(
            f"Invalid value at .options.deadline: got {instant(deadline)}, which has passed. Send a later one, or none."
        )


def _tier(tier: Any) -> Any:
    if tier not in list(Tier):
        raise Invalid(f'Invalid value at .options.tier: got "{tier}", valid values are: {", ".join(Tier)}.')
    return tier


def _number(name: str, value: Any, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise Invalid(f"Invalid value at .options.{name}: got {value!r}, must be from {least} to {most}.")
    return value


def _moment(text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError
        instant(moment)
    except (TypeError, ValueError, OverflowError):
        raise Invalid(
            f"Invalid value at .options.deadline: got {text!r}, must be a time with its zone, such as "
            '"2030-01-31T18:00:00Z".'
        ) from None
    return moment


def _tag(tag: Any) -> str:
    if not isinstance(tag, str) or not 1 <= len(tag) <= _LONGEST_TAG or not tag.isprintable():
        raise Invalid(
            f"Invalid value at .options.clientTag: got {tag!r}, must be 1 to {_LONGEST_TAG} printable characters."
        )
    return tag
