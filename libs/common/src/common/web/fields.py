"""Takes fields out of a JSON document and gathers every fault, so that a client learns of all of them at once."""

from __future__ import annotations

from typing import Any


class Invalid(ValueError):
    """The request cannot be understood; the message says where and why."""


class Fields:
    """A document whose fields are asked for by path."""

    def __init__(self, document: Any) -> None:
        if not isinstance(document, dict):
            raise Invalid("Invalid value at .: must be an object.")
        self._document = document
        self._faults: list[str] = []

    def has(self, *path: str) -> bool:
        """Whether there is anything but null."""
        return self.peek(*path) is not None

    def peek(self, *path: str) -> Any:
        """The value, None where there is none; reports nothing."""
        value: Any = self._document
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def text(self, *path: str, required: bool = True) -> str | None:
        """The string at `path`; None, and a fault unless it may be absent, where there is none."""
        for depth in range(1, len(path) + 1):
            value = self.peek(*path[:depth])
            last = depth == len(path)
            if value is None:
                if required:
                    self.fault(f"Invalid value at {_place(path[:depth])}: Missing required field")
                return None
            if not isinstance(value, str if last else dict):
                self.fault(f"Invalid value at {_place(path[:depth])}: must be {'a string' if last else 'an object'}.")
                return None
        if "\x00" in value:
            self.fault(f"Invalid value at {_place(path)}: must not contain the character NUL.")
            return None
        return str(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """The true or false of that name; `default` where there is none."""
        value = self.peek(name)
        if value is not None and not isinstance(value, bool):
            self.fault(f"Invalid value at .{name}: must be true or false.")
        return value if isinstance(value, bool) else default

    def values(self, name: str) -> dict[str, Any]:
        """The object of that name; empty where there is none."""
        value = self.peek(name)
        if value is not None and not isinstance(value, dict):
            self.fault(f"Invalid value at .{name}: must be an object.")
            return {}
        return value or {}

    def fault(self, text: str) -> None:
        """The same twice: once."""
        if text not in self._faults:
            self._faults.append(text)

    def check(self) -> None:
        """Raises Invalid with every fault so far, one a line."""
        if self._faults:
            raise Invalid("\n".join(self._faults))


def _place(path: tuple[str, ...]) -> str:
    return "".join(f".{name}" for name in path)
