"""Writes the reference pages that can be read off the code: python docs/generate.py [--check]

--check writes nothing and ends with status 1 where a page is not what it would be.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import sys
import textwrap
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sqlalchemy.dialects import postgresql
from typer.main import get_command

from backfill_client import cli
from bag_register import api as bag_register
from bag_register.surroundings import Surroundings
from common import topology
from common.adapters.objects.configuration import AZURE_ONLY, S3_ONLY, LocationConfig
from common.domain.failures import FAILURES
from common.domain.problem import BAG_PROBLEMS
from common.errors import BackfillError
from common.ledger.engine import open_engine
from common.ledger.reaper import RULES
from common.ledger.tables import metadata
from common.runtime.settings import WorkerSettings
from common.web.auth import everyone
from ingests_api import api as ingests_api
from ingests_api.choosing import Offer

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]
NOTE = "<!-- Written by docs/generate.py (`make docs`): change the code, not this page. -->\n"


def main() -> int:
    """Write the pages, or say which are out of date."""
    parser = argparse.ArgumentParser(description="Write docs/reference from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 where a page is out of date")
    check = parser.parse_args().check
    stale = [name for name, text in pages().items() if _read(REFERENCE / name) != text]
    for name in stale:
        sys.stdout.write(f"{'out of date' if check else 'written'}: docs/reference/{name}\n")
        if not check:
            (REFERENCE / name).write_text(pages()[name], "utf-8")
    return 1 if check and stale else 0


def pages() -> dict[str, str]:
    """Every generated page by its file name."""
    makers = {
        "settings.md": settings_page,
        "locations.md": locations_page,
        "errors.md": errors_page,
        "pipeline.md": pipeline_page,
        "ledger.md": ledger_page,
        "http-api.md": http_page,
        "command-line.md": command_page,
    }
    return {name: f"{NOTE}\n" + "\n".join(make()).rstrip() + "\n" for name, make in makers.items()}


def settings_page() -> Iterator[str]:
    """Every environment variable of every service."""
    yield "# Settings\n"
    yield "Every setting is an environment variable. Durations are seconds or ISO 8601 (`PT60S`). A service that finds"
    yield "settings missing or wrong names all of them at once and ends with status 2.\n"
    yield "## Every service\n"
    yield from _settings_table(WorkerSettings, leaving_out=())
    for service in services():
        yield f"\n## {service}\n"
        model = import_module(f"{service}.settings").Settings
        own = [name for name in model.model_fields if not _inherited(model, name)]
        if own:
            yield from _settings_table(model, leaving_out=tuple(n for n in model.model_fields if n not in own))
        else:
            yield "Nothing beyond what every service has."


def services() -> list[str]:
    """The services, in the order of the pipeline, the API first."""
    order = ["ingests_api", *dict.fromkeys(stage.service for stage in topology.STAGES)]
    found = [path.parent.name for path in ROOT.glob("services/*/src/*/settings.py")]
    return sorted(found, key=order.index)


def _inherited(model: type[BaseModel], name: str) -> bool:
    mine, theirs = model.model_fields[name], WorkerSettings.model_fields.get(name)
    return theirs is not None and repr(mine) == repr(theirs)


def _settings_table(model: type[BaseModel], *, leaving_out: tuple[str, ...]) -> Iterator[str]:
    prefix = str(model.model_config.get("env_prefix", ""))
    rows = [
        (f"`{(prefix + name).upper()}`", _default(field), field.description or "")
        for name, field in model.model_fields.items()
        if name not in leaving_out
    ]
    yield from table(("Variable", "Default", "What it is"), rows)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if hasattr(value, "total_seconds"):
        return f"`{value.total_seconds():g}` s"
    if value is None:
        return "none"
    return f"`{value}`" if value != "" else "empty"


def locations_page() -> Iterator[str]:
    """Every field of a location."""
    yield "# Locations\n"
    yield "A locations file is TOML with one table `[locations.<id>]` for each store. [Operations](../operations.md)"
    yield 'shows one. Any value may be written as `{ env = "NAME" }` or `{ file = "path" }`; secrets should be.\n'
    explained = _attribute_docs(LocationConfig)
    rows = [
        (f"`{name}`", _for_whom(name), _default(field), explained.get(name, ""))
        for name, field in LocationConfig.model_fields.items()
        if name != "id"
    ]
    yield from table(("Field", "Providers", "Default", "What it is"), rows)


def _for_whom(name: str) -> str:
    if name in S3_ONLY:
        return "`amazon-s3`"
    return "`azure-blob-storage`" if name in AZURE_ONLY else "all"


def _attribute_docs(model: type[BaseModel]) -> dict[str, str]:
    """The string under each annotated attribute of a class."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for line, following in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and isinstance(following, ast.Expr):
            found[line.target.id] = str(ast.literal_eval(following.value))
    return found


def errors_page() -> Iterator[str]:
    """Every code that an ingest, an import, a dead letter or a log line may carry."""
    yield "# Error codes\n"
    yield "Codes are stable. An ingest that failed carries one (`error.code`, and in the ledger `ingests.error_code`);"
    yield "so do dead letters and an import's problems. The same code always means the same thing.\n"
    yield "## Why work fails\n\nCodes that steps and the ledger give.\n"
    for code, failure in FAILURES.items():
        yield from _entry(code, failure.meaning, failure.remedy)
    yield "## Errors\n\nThe tree of `common.errors`. The temporary ones are tried again; the store's answers are not.\n"
    for error in _tree(BackfillError):
        yield from _entry(error.code, inspect.getdoc(error) or "", error.remedy, note=f"`{error.__name__}`")
    yield "## Problems of bags\n\nWhat the BagIt reader finds. An error refuses the bag; a warning is only told.\n"
    for problem in BAG_PROBLEMS.values():
        yield from _entry(problem.code, problem.meaning, problem.remedy, note=problem.severity.value)


def _entry(code: str, meaning: str, remedy: str, *, note: str = "") -> Iterator[str]:
    yield f"### {code}\n"
    yield (f"({note}) " if note else "") + " ".join(meaning.split()) + "\n"
    yield f"*What to do:* {remedy}\n"


def _tree(error: type[BackfillError]) -> Iterator[type[BackfillError]]:
    yield error
    for child in error.__subclasses__():
        if child.__module__ == error.__module__:
            yield from _tree(child)


def pipeline_page() -> Iterator[str]:
    """The topology and the reaper's rules."""
    yield "# The pipeline as tables\n\n## Stages\n"
    stages = [
        (f"`{s.service}`", s.kind, f"`{s.state}`", f"`{s.next_state}`", f"`{s.hint.__name__}`", s.title)
        for s in topology.STAGES
    ]
    yield from table(("Service", "Rows", "In state", "Go to", "On the hint", "In a history"), stages)
    yield "\n## Queues\n\nOne for each stage and lane; workers prefer the lanes in this order.\n"
    queues = [(f"`{s.queue(lane)}`", f"`{s.service}`", str(lane)) for lane in topology.Lane for s in topology.STAGES]
    yield from table(("Queue", "Listened to by", "Lane"), queues)
    yield "\n## What the reaper does with a row that is due and that nobody holds\n"
    rules = [
        (rule.kind, f"`{rule.state}`", f"posts `{rule.stage.hint.__name__}`" if rule.stage else "looks at its segments")
        for rule in RULES
    ]
    yield from table(("Rows", "In state", "The reaper"), rules)


def ledger_page() -> Iterator[str]:
    """The columns of every table."""
    yield "# The ledger's tables\n"
    yield "As `common.ledger.tables` defines them. [Architecture](../architecture.md) says what they are for.\n"
    for each in metadata.tables.values():
        yield f"## {each.name}\n"
        rows = [(f"`{c.name}`", _type(c), "yes" if c.nullable else "", _key(c)) for c in each.columns]
        yield from table(("Column", "Type", "Null", "Key"), rows)
        yield ""


def _type(column: Any) -> str:
    return str(column.type.compile(dialect=_POSTGRESQL)).lower()


def _key(column: Any) -> str:
    marks = ["primary"] if column.primary_key else []
    return ", ".join(marks + [f"→ `{key.target_fullname}`" for key in column.foreign_keys])


def http_page() -> Iterator[str]:
    """Every route of the two halves of the API."""
    yield "# The HTTP API\n"
    yield "Two services answer behind one address: paths that begin with `/ingests` are `ingests_api`'s, all others"
    yield "`bag_register`'s. Each gives its OpenAPI document at `/openapi.json` on its own port, with `/livez` and"
    yield "`/readyz` beside it."
    yield "The how-tos show requests and answers: [backfill one bag](../how-to/backfill-one-bag.md),"
    yield "[import an archive](../how-to/import-an-archive.md).\n"
    yield "A refusal is a document with `httpStatus`, `label` and a `description` that says what to send instead.\n"
    rows = [row for service, document in _openapi().items() for row in _routes(service, document)]
    yield from table(("Request", "Query", "Service", "What it is"), rows)


def _openapi() -> dict[str, dict[str, Any]]:
    """The documents of both applications, which are made but never run; the engine never connects."""
    nothing: Any = None
    engine = open_engine("postgresql://localhost/none", name="docs")
    offer = Offer(locations={}, writable=frozenset())
    ingests = ingests_api.Surroundings(engine=engine, offer=offer, new_id=nothing, guard=everyone(), wake_relay=nothing)
    register = Surroundings(engine=engine, lists=nothing, importable=frozenset(), guard=everyone())
    return {
        "ingests_api": ingests_api.make_app(ingests).openapi(),
        "bag_register": bag_register.make_app(register).openapi(),
    }


def _routes(service: str, document: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            asked = [f"`{p['name']}`" for p in operation.get("parameters", []) if p["in"] == "query"]
            yield f"`{method.upper()} {path}`", ", ".join(asked), f"`{service}`", operation.get("summary", "")


def command_page() -> Iterator[str]:
    """The commands of `backfill`."""
    command = get_command(cli.app)
    yield "# The command line\n"
    yield f"`backfill` is a client of the [HTTP API](http-api.md). {cli.app.info.epilog}\n"
    yield "## General options\n"
    yield from table(("Option", "Variable", "What it is"), [_option(each) for each in command.params if each.envvar])
    yield "\n## Commands\n\nEach has `--help`, and `--output json` for programs.\n"
    yield from table(("Command", "What it does"), _commands(command, "backfill"))


def _option(option: Any) -> tuple[str, str, str]:
    return f"`{option.opts[0]}`", f"`{option.envvar}`", option.help or ""


def _commands(command: Any, name: str) -> Iterator[tuple[str, str]]:
    if inner := getattr(command, "commands", None):
        for key, each in inner.items():
            yield from _commands(each, f"{name} {key}")
        return
    own = [p for p in command.params if p.name not in ("help", "output")]
    asked = [p.name.upper() if p.param_type_name == "argument" else _asked(p) for p in own]
    yield f"`{' '.join([name, *asked])}`", " ".join((command.help or "").split())


def _asked(option: Any) -> str:
    return f"{option.opts[0]} …" if option.required else f"[{option.opts[0]}]"


def table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A Markdown table."""
    yield _line(heads)
    yield _line(("---",) * len(heads))
    for row in rows:
        yield _line(tuple(cell.replace("|", "\\|").replace("\n", " ") for cell in row))


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
