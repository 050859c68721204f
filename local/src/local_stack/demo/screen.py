"""What the audience sees: tables and live progress on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

STAGES = ("planned", "thawed", "copied", "verified")
_COLOURS = {"succeeded": "green", "failed": "red", "processing": "cyan", "accepted": "dim"}


class Screen:
    """Prints. On a terminal progress is one table that changes; elsewhere every new event is a line."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or _console()
        self._live: Live | None = None
        self._seen: dict[str, int] = {}

    def heading(self, text: str) -> None:
        self.console.print()
        self.console.rule(f"[bold]{text}", align="left")

    def say(self, text: str) -> None:
        self.console.print(text, markup=False)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        table = Table(*columns, box=None, pad_edge=False, header_style="bold")
        for row in rows:
            table.add_row(*row)
        self.console.print(table)

    def progress(self, ingests: Sequence[dict[str, Any]], *, clock: str) -> None:
        """Show how far the ingests are. `clock` is the simulated time."""
        if not self.console.is_terminal:
            self._new_events(ingests)
            return
        if self._live is None:
            self._live = Live(console=self.console, refresh_per_second=4, transient=False)
            self._live.start()
        self._live.update(_progress_table(ingests, clock))

    def end_progress(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _new_events(self, ingests: Sequence[dict[str, Any]]) -> None:
        for ingest in ingests:
            events = ingest["events"]
            for event in events[self._seen.get(ingest["id"], 0) :]:
                self.say(f"  {name_of(ingest):32} {event['description']}")
            self._seen[ingest["id"]] = len(events)

    def history(self, ingest: dict[str, Any]) -> None:
        status = ingest["status"]["id"]
        colour = _COLOURS[status]
        self.console.print(f"[bold]{name_of(ingest)}[/] [{colour}]{status}[/]  ingest {ingest['id']}")
        for event in ingest["events"]:
            self.say(f"    {event['createdDate'][11:19]}  {event['description']}")


def _console() -> Console:
    """As wide as the terminal; where there is none, as wide as the lines are."""
    console = Console(highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=160)


def name_of(ingest: dict[str, Any]) -> str:
    info = ingest["bag"]["info"]
    return f"{ingest['space']['id']}/{info['externalIdentifier']} {info['version']}"


def _progress_table(ingests: Sequence[dict[str, Any]], clock: str) -> Table:
    table = Table(
        "bag", "status", *STAGES, "now", box=None, pad_edge=False, header_style="bold", title=f"simulated time {clock}"
    )
    for ingest in ingests:
        status = ingest["status"]["id"]
        last = ingest["events"][-1]["description"] if ingest["events"] else ""
        cells = [_bar(ingest.get("progress", {}), stage) for stage in STAGES]
        table.add_row(name_of(ingest), f"[{_COLOURS[status]}]{status}", *cells, f"[dim]{last[:60]}")
    return table


def _bar(progress: dict[str, Any], stage: str) -> str:
    """Files that have passed the stage, of all files of the plan."""
    total = progress.get("planned", {}).get("files", 0)
    done = progress.get(stage, {}).get("files", 0)
    if not total:
        return ""
    return f"[green]{done}[/]" if done == total else f"{done}/{total}"
