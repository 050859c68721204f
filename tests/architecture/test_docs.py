"""The documents are true to the code: links, generated pages, error codes, and what no file may hold."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest

from common.adapters.objects.configuration import read_locations
from common.domain.callback_failures import CALLBACK_FAILURES
from common.domain.failures import FAILURES
from common.domain.problem import BAG_PROBLEMS
from common.errors import BackfillError
from common.web.problems import PROBLEMS
from ingests_api.request import parse

ROOT = Path(__file__).resolve().parents[2]
_LEFT_OUT = {"node_modules", "__pycache__", "dist", "build", "out"}
_TEXT = {".py", ".md", ".toml", ".txt", ".json", ".yaml", ".yml", ".sh", ".cfg", ".ini", ".mako", ".npmrc", ".html", ""}
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_CODE_BLOCK = re.compile(r"```.*?```", re.DOTALL)


def _files() -> Iterator[Path]:
    """Every file of the project, by folders, so that nothing below an environment or a cache is looked at."""
    folders = [ROOT]
    while folders:
        for entry in sorted(folders.pop().iterdir()):
            hidden = entry.name.startswith(".") and entry.name not in (".ci", ".npmrc", ".pre-commit-config.yaml")
            if hidden or entry.name in _LEFT_OUT or entry.name.endswith(".egg-info"):
                continue
            if entry.is_dir():
                folders.append(entry)
            else:
                yield entry


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


FILES = list(_files())
PAGES = [path for path in FILES if path.suffix == ".md"]
SOURCES = [path for path in FILES if path.suffix == ".py" and path.relative_to(ROOT).parts[0] != "tests"]


@pytest.mark.parametrize("page", PAGES, ids=_relative)
def test_links_lead_somewhere(page: Path) -> None:
    links = _LINK.findall(_CODE_BLOCK.sub("", page.read_text("utf-8")))

    assert [link for link in links if "://" not in link and not _leads_somewhere(page, link)] == []


def _leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = unquote(link).partition("#")
    target = (page.parent / name).resolve() if name else page
    if not target.is_relative_to(ROOT) or not target.exists():
        return False
    return not anchor or anchor in _anchors(target)


def _anchors(page: Path) -> set[str]:
    """As the usual renderers make them of headings."""
    headings = _HEADING.findall(page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


_SETTING = re.compile(r"\bBACKFILL_[A-Z][A-Z_]*[A-Z]\b")


@pytest.mark.parametrize("page", PAGES, ids=_relative)
def test_settings_that_pages_name_exist(page: Path) -> None:
    reference = [ROOT / "docs" / "reference" / name for name in ("settings.md", "command-line.md")]
    known = {setting for path in reference for setting in _SETTING.findall(path.read_text("utf-8"))}

    assert set(_SETTING.findall(page.read_text("utf-8"))) - known == set()


_TARGET = re.compile(r"(?:^|`)make ([a-z]+)", re.MULTILINE)


def test_make_targets_that_pages_name_exist() -> None:
    known = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    named = {target for page in PAGES for target in _TARGET.findall(page.read_text("utf-8"))}

    assert named - set(known) == set()


def test_the_request_of_the_how_to_is_one_the_api_takes() -> None:
    page = (ROOT / "docs" / "how-to" / "backfill-one-bag.md").read_text("utf-8")
    (example,) = re.findall(r"-d '(\{.*?\})'", page, re.DOTALL)

    wanted = parse(json.loads(example))

    assert (str(wanted.space), str(wanted.external_identifier), str(wanted.version), wanted.destination) == (
        "digitised",
        "b10000001",
        "v1",
        "azure",
    )


def test_the_locations_file_of_the_operations_page_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    monkeypatch.setenv("S3_KEY_ID", "key")
    for secret in ("s3_key", "azure_sas"):
        (tmp_path / secret).write_text("secret")
    (tmp_path / "locations.toml").write_text(example.replace("/run/secrets", tmp_path.as_posix()), "utf-8")

    found = read_locations(tmp_path / "locations.toml")

    assert [(str(id), config.provider.value) for id, config in found.items()] == [
        ("cold", "amazon-s3"),
        ("azure", "azure-blob-storage"),
    ]


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("name", "text"), _generator().pages().items())
def test_generated_pages_are_what_the_code_says(name: str, text: str) -> None:
    written = (ROOT / "docs" / "reference" / name).read_text("utf-8")

    assert written == text, "run `make docs`"


def test_every_error_code_is_explained_once() -> None:
    headings = _HEADING.findall((ROOT / "docs" / "reference" / "errors.md").read_text("utf-8"))
    errors = [error.code for error in _tree(BackfillError)]
    codes = [*FAILURES, *errors, *BAG_PROBLEMS, *CALLBACK_FAILURES, *PROBLEMS]

    assert [heading for heading in headings if heading in set(codes)] == codes
    assert len(set(codes)) == len(codes)


def _tree(error: type[BackfillError]) -> Iterator[type[BackfillError]]:
    """The tree of common.errors; what other modules derive for themselves has its parent's code."""
    yield error
    for child in error.__subclasses__():
        if child.__module__ == error.__module__:
            yield from _tree(child)


def test_codes_in_the_sources_are_in_a_table() -> None:
    used = {code: _relative(path) for path in SOURCES for code in _codes(path)}
    errors = [error.code for error in _tree(BackfillError)]
    known = {*FAILURES, *CALLBACK_FAILURES, *errors, *BAG_PROBLEMS, *PROBLEMS}

    assert {code: place for code, place in used.items() if code not in known} == {}


def test_every_failure_in_the_table_can_happen() -> None:
    used = {code for path in SOURCES if path.name != "failures.py" for code in _codes(path)}

    assert sorted({*FAILURES, *CALLBACK_FAILURES} - used) == []


_PROBLEMS = {"ImportProblem": 1, "problem": 0}
"""What makes an import's problems, and which of its arguments is the code."""

_SPEAKS_OF_FAILURES = ("services/", "libs/common/src/common/ledger/", "libs/common/src/common/runtime/")


def _codes(path: Path) -> Iterator[str]:
    """Failure codes a source names: `code="…"` in calls and defaults, and the values of tables called _CODES."""
    if not _relative(path).startswith(_SPEAKS_OF_FAILURES):
        return
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.keyword(arg="code", value=ast.Constant(value=str(code))):
                yield code
            case ast.FunctionDef(args=arguments):
                yield from _defaults(arguments)
            case ast.Call(func=ast.Name(id=str(name)), args=arguments) if name in _PROBLEMS:
                yield from _constant(arguments[_PROBLEMS[name] :])
            case ast.Assign(targets=[ast.Name(id="_CODES")], value=ast.Dict(values=values)):
                yield from (str(value.value) for value in values if isinstance(value, ast.Constant))


def _constant(arguments: list[ast.expr]) -> Iterator[str]:
    if arguments and isinstance(arguments[0], ast.Constant):
        yield str(arguments[0].value)


def _defaults(arguments: ast.arguments) -> Iterator[str]:
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if argument.arg == "code" and isinstance(default, ast.Constant) and isinstance(default.value, str):
            yield default.value


@pytest.mark.parametrize("service", sorted(path.name for path in (ROOT / "services").iterdir() if path.is_dir()))
def test_every_service_has_a_page_that_names_its_queues(service: str) -> None:
    from common.topology import STAGES

    page = (ROOT / "services" / service / "README.md").read_text("utf-8")

    assert [s.name for s in STAGES if s.service == service and f"`{service}_{s.name}_" not in page] == []


_FOREIGN = re.compile(
    "|".join(
        (
            r"(?<![\w./])/(?:work|root|home/\w+|Users/\w+)/",
            r"python" + r"hosted\.org",
            r"pypi" + r"\.org/simple",
            r"registry\." + r"(?:npmjs\.org|yarnpkg\.com)",
        )
    )
)


def test_no_file_names_a_download_host_or_a_place_on_somebodys_machine() -> None:
    texts = [path for path in FILES if path.suffix in _TEXT]
    found = {_relative(path): _FOREIGN.findall(path.read_text("utf-8", errors="replace")) for path in texts}

    assert {name: matches for name, matches in found.items() if matches} == {}


_LONGEST = 300
_HISTORY = "migrations/versions/"
"""Migrations say what happened once; they are not divided."""


def test_no_source_file_is_long() -> None:
    lengths = {_relative(path): len(path.read_text("utf-8").splitlines()) for path in SOURCES}

    assert {name: n for name, n in lengths.items() if n > _LONGEST and _HISTORY not in name} == {}


def test_no_pattern_gives_nothing_back() -> None:
    """Python before 3.11.5, Debian 12's too, matches what it should not by possessive groups (CPython issue 106052)."""
    possessive = re.compile(r"\)[*+?]\+|\(\?>")
    patterns = {
        (_relative(path), node.args[0].value)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "re"
        if node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    }

    assert len(patterns) > 20
    assert {(name, pattern) for name, pattern in patterns if possessive.search(pattern)} == set()
