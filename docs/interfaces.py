"""The reference pages of the interfaces: the HTTP API and the command line. docs/generate.py writes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from typer.main import get_command

from backfill_client import cli
from bag_register import api as bag_register
from bag_register.surroundings import Surroundings
from common.ledger.engine import open_engine
from common.web.auth import everyone
from ingests_api import api as ingests_api
from ingests_api.choosing import Offer

_HTTP = """Two services answer behind one address: paths that begin with `/ingests`, `/backfills`, `/requirements`,
`/dead-letters`, `/thaws`, `/clients` or `/oauth2` are `ingests_api`'s, all others `bag_register`'s. Each gives its
OpenAPI document at `/openapi.json` on its own port, with `/livez` and `/readyz` beside it; they are kept here as well,
with examples of every request and answer: [ingests_api.json](openapi/ingests_api.json),
[bag_register.json](openapi/bag_register.json). `/docs` of either is a page to read and try them, which asks nobody else
for anything; to have both on it, pass `/docs/openapi/ingests_api.json` on to `ingests_api`.
[The how-tos](../how-to/README.md) show requests and answers.

A refusal is a document with `httpStatus`, `label` and a `description` that says what to send instead; with
`Accept: application/problem+json` it is a problem document with a stable `type`
([all of them](errors.md#refusals-of-the-http-api)).
"""


def http_page() -> Iterator[str]:
    """Every route of the two halves of the API."""
    yield "# The HTTP API\n"
    yield _HTTP
    rows = [row for service, document in openapi_documents().items() for row in _routes(service, document)]
    yield from table(("Request", "Query", "Scope", "Service", "What it is"), rows)


def openapi_documents() -> dict[str, dict[str, Any]]:
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
            yield (
                f"`{method.upper()} {path}`",
                ", ".join(asked),
                _scope(operation),
                f"`{service}`",
                operation.get("summary", ""),
            )


def _scope(operation: dict[str, Any]) -> str:
    ways = operation.get("security", [])
    return ", ".join(sorted({f"`{scope}`" for way in ways for scopes in way.values() for scope in scopes})) or "open"


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
