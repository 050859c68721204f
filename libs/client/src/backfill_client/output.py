"""How the command line shows things: tables for people, JSON for programs."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

_PIPED_WIDTH = 240
_COLOURS = {
    "succeeded": "green",
    "finished": "green",
    "failed": "red",
    "error": "red",
    "ok": "green",
    "warning": "yellow",
    "processing": "cyan",
    "in progress": "cyan",
    "missing": "yellow",
    "stalled": "red",
    "damaged": "red",
    "verified": "green",
    "HEALTHY": "green",
    "DEGRADED": "yellow",
    "AT RISK": "red",
}


class Form(StrEnum):
    """What is written to standard output."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    """Of a list a row for each, of a single thing one row."""


def console() -> Console:
    """Rich honours NO_COLOR and drops colours in pipes; there, wide lines keep names whole."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)


def complain(message: str, remedy: str = "") -> None:
    """Tell an error and what to do about it, on standard error."""
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    errors.print(Text(f"Error: {message}", style="red"))
    if remedy:
        errors.print(Text(remedy))


def advise(message: str) -> None:
    """Tell something worth knowing, on standard error: what programs read stays as it is."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(message, style="dim"))


def show_json(value: Any) -> None:
    """Models under their wire names."""
    print(json.dumps(plain(value), indent=2, ensure_ascii=False))


def plain(value: Any) -> Any:
    """Models as documents, wherever they are in the value."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_none=True)
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    table = Table(title=Text(title) if title else None, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(coloured(cell) for cell in row))
    console().print(table)


def show_list(
    form: Form, columns: Sequence[str], rows: Iterable[Sequence[object]], *, models: Iterable[BaseModel]
) -> None:
    """A list in the form that was asked for; JSON shows the models, the others show the rows."""
    if form is Form.JSON:
        show_json(list(models))
    elif form is Form.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    else:
        show_table(columns, rows)


def show_record(form: Form, model: BaseModel) -> bool:
    """One thing for programs: JSON, or as CSV a row below its names, which are the same for every thing of its kind.

    False: a person asked, and nothing was shown.
    """
    if form is Form.JSON:
        show_json(model)
    elif form is Form.CSV:
        document = model.model_dump(mode="json", by_alias=True)
        csv.writer(sys.stdout, lineterminator="\n").writerows(zip(*_cells(type(model), document), strict=True))
    return form is not Form.TABLE


def _cells(kind: type[BaseModel], document: Mapping[str, Any] | None, within: str = "") -> Iterator[tuple[str, object]]:
    """Names, with dots where things hold things, and values; lists stay JSON."""
    for field_name, field in kind.model_fields.items():
        name = field.alias or field_name
        value = (document or {}).get(name)
        if part := _model_in(field.annotation):
            yield from _cells(part, value, f"{within}{name}.")
        else:
            told = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
            yield f"{within}{name}", told


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, or may hold."""
    kinds = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def show_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Name and value, a line each; values of None are left out."""
    grid = Table.grid(padding=(0, 2))
    for name, value in facts:
        if value is not None:
            grid.add_row(Text(name, style="bold"), coloured(value))
    console().print(grid)


def coloured(cell: object) -> Text:
    """Never read as markup: names may have brackets."""
    text = "" if cell is None else str(cell)
    return Text(text, style=_COLOURS.get(text, ""))


def moment(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def size(octets: int) -> str:
    """ "512 bytes", "3.1 GB"; powers of ten."""
    amount = float(octets)
    for unit in ("bytes", "KB", "MB", "GB"):
        if amount < 1000:
            return f"{octets} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} TB"
