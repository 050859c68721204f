"""Values of which one is made for every request or file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """A dataclass that is frozen for the type checker and not at run time, where each field of a frozen one costs ten
    times as much to set."""
    return dataclass(slots=True)(cls)
