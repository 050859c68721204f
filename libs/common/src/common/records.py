"""Values of which one is made for every request or file, and those that every start of a worker defines."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """A dataclass that is frozen for the type checker and not at run time, where each field of a frozen one costs ten
    times as much to set. It compares by its fields, and has no hash.

    Of its methods only `__init__` is generated: each one that is costs 0.1 ms at every start.
    """
    made = dataclass(slots=True, eq=False, repr=False)(cls)
    shared: dict[str, Any] = {"__eq__": _equal, "__repr__": _told, "__hash__": None}
    for name, method in shared.items():
        if name not in cls.__dict__:
            setattr(made, name, method)
    return made


def _equal(self: Any, other: Any) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    names = [part.name for part in fields(self) if part.compare]
    return all(getattr(self, name) == getattr(other, name) for name in names)


def _told(self: Any) -> str:
    shown = ", ".join(f"{part.name}={getattr(self, part.name)!r}" for part in fields(self) if part.repr)
    return f"{type(self).__qualname__}({shown})"
