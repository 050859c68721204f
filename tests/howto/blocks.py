"""The fenced blocks of a page that a reader would run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

HOW_TOS = Path(__file__).resolve().parents[2] / "docs" / "how-to"
_FENCE = re.compile(r"^```(sh|console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LABEL = re.compile(r"\*\*(.+)\*\*\n\n\Z")
_CALL = re.compile(r"^(?:\w+=\$\()?(backfill|curl) ", re.MULTILINE)
_MARK = "# Not run by the tests: "


class Way(StrEnum):
    """How a task is done; the text is what stands above each block."""

    COMMAND_LINE = "Command line"
    CURL = "curl"
    PYTHON = "Python"


_COMMANDS = {"backfill": Way.COMMAND_LINE, "curl": Way.CURL}


@dataclass(frozen=True, slots=True)
class Block:
    """Commands, or Python."""

    line: int
    language: str
    text: str
    label: str = ""
    """What stands above it in bold."""

    @property
    def excuse(self) -> str | None:
        """Why the tests do not run it, as the reader is told in its first line."""
        first = self.text.splitlines()[0]
        return first.removeprefix(_MARK) if first.startswith(_MARK) else None

    @property
    def ways(self) -> set[Way]:
        """Which ways it shows: one, or none where it does something else than asking the API."""
        if self.language == "python":
            return {Way.PYTHON} if "backfill_client" in self.text else set()
        return {_COMMANDS[command] for command in _CALL.findall(self.script)}

    @property
    def script(self) -> str:
        """For bash."""
        if self.language == "python":
            return f"python - <<'END OF PYTHON'\n{self.text}END OF PYTHON"
        if self.language == "sh":
            return self.text
        return "\n".join(self._commands())

    @property
    def promises(self) -> list[str]:
        """The lines that a console shows between its commands."""
        if self.language != "console":
            return []
        commands = set(self._commands())
        return [line for line in self.text.splitlines() if line.strip() and line.removeprefix("$ ") not in commands]

    def _commands(self) -> Iterator[str]:
        goes_on = False
        for line in self.text.splitlines():
            if goes_on or line.startswith("$ "):
                yield line.removeprefix("$ ")
                goes_on = line.endswith("\\")


def blocks(page: Path) -> list[Block]:
    return [_block(page.read_text("utf-8"), found) for found in _FENCE.finditer(page.read_text("utf-8"))]


def _block(text: str, found: re.Match[str]) -> Block:
    label = _LABEL.search(text[: found.start()])
    return Block(text.count("\n", 0, found.start()) + 1, found[1], found[2], label[1] if label else "")


def kept(promise: str, said: str) -> bool:
    """Whether a line was printed; spaces count once, and "…" stands for anything."""
    pattern = r".*".join(re.escape(" ".join(part.split())) for part in promise.split("…"))
    return any(re.search(pattern, " ".join(line.split())) for line in said.splitlines())
