"""Writes the reference pages that can be read off the code: python docs/generate.py [--check | --against REVISION]

--check writes nothing and ends with status 1 where a page is not what it would be.
--against says what the OpenAPI documents take away from clients of an earlier revision, and ends with status 1 where
they do. Without it, --allow-breaking is needed to write documents that take anything away.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sqlalchemy.dialects import postgresql

from common import topology
from common.adapters.objects.cold_configuration import BatchConfig, ThawConfig
from common.adapters.objects.configuration import AZURE_ONLY, S3_ONLY, LocationConfig
from common.domain.callback_failures import CALLBACK_FAILURES
from common.domain.failures import FAILURES
from common.domain.problem import BAG_PROBLEMS
from common.errors import BackfillError
from common.ledger.reaper import RULES
from common.ledger.tables import metadata
from common.runtime.settings import WorkerSettings
from common.thawing.configured import ThawBudget
from common.web.problems import PROBLEMS

sys.path.insert(0, str(Path(__file__).parent))
from breaking import breaking_changes
from interfaces import command_page, http_page, openapi_documents, table

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]
NOTE = "<!-- Written by docs/generate.py (`make docs`): change the code, not this page. -->\n"


def main() -> int:
    """Write the pages, or say which are out of date, or what they break."""
    parser = argparse.ArgumentParser(description="Write docs/reference from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 where a page is out of date")
    parser.add_argument("--against", metavar="REVISION", help="compare with the OpenAPI documents of this revision")
    parser.add_argument("--allow-breaking", action="store_true", help="write documents that take something away")
    given = parser.parse_args()
    if given.against:
        return _told(list(_broken(lambda name: _at(given.against, name))))
    if not given.check and not given.allow_breaking and _told(list(_broken(lambda name: _read(REFERENCE / name)))):
        sys.stdout.write("nothing is written; --allow-breaking writes it all the same\n")
        return 1
    made = pages()
    stale = [name for name, text in made.items() if _read(REFERENCE / name) != text]
    for name in stale:
        sys.stdout.write(f"{'out of date' if given.check else 'written'}: docs/reference/{name}\n")
        if not given.check:
            (REFERENCE / name).parent.mkdir(exist_ok=True)
            (REFERENCE / name).write_text(made[name], "utf-8")
    return 1 if given.check and stale else 0


def _told(broken: list[str]) -> int:
    for what in broken:
        sys.stdout.write(f"breaking: {what}\n")
    return 1 if broken else 0


def _broken(earlier: Callable[[str], str]) -> Iterator[str]:
    """What the documents take away from those that `earlier` gives by name; "" where there was none."""
    for service, document in openapi_documents().items():
        if text := earlier(openapi_name(service)):
            yield from (f"{service}: {what}" for what in breaking_changes(json.loads(text), document))


def _at(revision: str, name: str) -> str:
    shown = subprocess.run(
        ["git", "show", f"{revision}:docs/reference/{name}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return shown.stdout if shown.returncode == 0 else ""


def openapi_name(service: str) -> str:
    """Of the file that has the service's OpenAPI document."""
    return f"openapi/{service}.json"


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
    texts = {name: f"{NOTE}\n" + "\n".join(make()).rstrip() + "\n" for name, make in makers.items()}
    documents = openapi_documents().items()
    return texts | {openapi_name(service): _json(document) for service, document in documents}


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


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
    yield "\n## How archived objects are brought back\n\nThe table `[locations.<id>.thaw]`, of `amazon-s3` only.\n"
    yield from _fields_of(ThawConfig)
    yield "\n## Restores in batches\n\nThe table `[locations.<id>.thaw.batch]`.\n"
    yield from _fields_of(BatchConfig)
    yield "\n## thaw_budget\n"
    yield "The table `[locations.<id>.thaw_budget]`; [thawing](../explanations/thawing.md) says what comes of it.\n"
    yield from _fields_of(ThawBudget)


def _fields_of(model: type[BaseModel]) -> Iterator[str]:
    explained = _attribute_docs(model)
    rows = [(f"`{name}`", _default(field), explained.get(name, "")) for name, field in model.model_fields.items()]
    yield from table(("Field", "Default", "What it is"), rows)


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
    yield "## Why callbacks are not delivered\n\nCodes of attempts; these are repeated unless it says otherwise.\n"
    yield from (line for code, one in CALLBACK_FAILURES.items() for line in _entry(code, one.meaning, one.remedy))
    yield from _http_problems()


def _http_problems() -> Iterator[str]:
    yield "## Refusals of the HTTP API\n"
    yield "A request with `Accept: application/problem+json` is refused with a document of RFC 9457, whose `type` is"
    yield "`urn:backfill:problem:` and the code. Others get the storage service's form: `label` and `description`.\n"
    for code, problem in PROBLEMS.items():
        yield from _entry(code, problem.meaning, problem.remedy, note=str(problem.status))


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
        (f"`{s.service}`", s.kind, f"`{s.state}`", f"`{s.next_state}`", f"`{s.hint.__name__}`", s.title, _limit(s))
        for s in topology.STAGES
    ]
    heads = ("Service", "Rows", "In state", "Go to", "On the hint", "In a history", "Stalled after")
    yield from table(heads, stages)
    yield "\n## Queues\n\nOne for each stage and lane; workers prefer the lanes in this order, plan and thaw in turn.\n"
    queues = [(f"`{s.queue(lane)}`", f"`{s.service}`", str(lane)) for lane in topology.Lane for s in topology.STAGES]
    yield from table(("Queue", "Listened to by", "Lane"), queues)
    yield "\n## What the reaper does with a row that is due and that nobody holds\n"
    rules = [
        (rule.kind, f"`{rule.state}`", f"posts `{rule.stage.hint.__name__}`" if rule.stage else "looks at its segments")
        for rule in RULES
    ]
    yield from table(("Rows", "In state", "The reaper"), rules)


def _limit(stage: topology.Stage) -> str:
    hours = f"{stage.limit.total_seconds() / 3600:g} h"
    return f"{hours}, and {stage.per_gib.total_seconds() / 60:g} min for each GiB" if stage.per_gib else hours


def ledger_page() -> Iterator[str]:
    """The columns of every table."""
    yield "# The ledger's tables\n"
    yield "As `common.ledger.tables` defines them. [Architecture](../architecture.md) says what they are for.\n"
    for each in sorted(metadata.tables.values(), key=lambda table: table.name):
        yield f"## {each.name}\n"
        rows = [(f"`{c.name}`", _type(c), "yes" if c.nullable else "", _key(c)) for c in each.columns]
        yield from table(("Column", "Type", "Null", "Key"), rows)
        yield ""


def _type(column: Any) -> str:
    return str(column.type.compile(dialect=_POSTGRESQL)).lower()


def _key(column: Any) -> str:
    marks = ["primary"] if column.primary_key else []
    return ", ".join(marks + [f"→ `{key.target_fullname}`" for key in column.foreign_keys])


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
