"""backfill doctor"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import httpx
import typer

from backfill_client.doctor import Finding, api_findings, local_findings
from backfill_client.output import Form, advise, show_list
from backfill_client.session import Exit, OutputOption, Session, form_of

_INGESTS = {
    "ingests:read": ("GET", "/ingests?limit=1"),
    "ingests:write": ("POST", "/ingests?dryRun=true"),
    "operate": ("GET", "/clients"),
}
_BAGS = {"bags:read": ("GET", "/locations")}


def doctor(
    context: typer.Context,
    local: Annotated[
        bool, typer.Option("--local", help="Also run the check of every service that is installed on this machine")
    ] = False,
    destination: Annotated[
        list[str] | None, typer.Option(help="With --local: a location that is written to; more than once for several")
    ] = None,
    service: Annotated[list[str] | None, typer.Option(help="With --local: only this service, such as verifier")] = None,
    output: OutputOption = None,
) -> None:
    """Probe the APIs, and what they let you do; with --local, every right and setting of the services here.

    The exit code is 1 where anything failed.
    """
    session: Session = context.obj
    auth = session.credentials.auth(session.api)
    found = list(_all(session, auth, local=local, services=service or [], destinations=destination or []))
    form = form_of(context, output)
    rows = [(one.verdict, one.of, one.probe, one.message, one.remedy) for one in found]
    show_list(form, ("Verdict", "Of", "Probe", "Found", "Remedy"), rows, models=found)
    if not local and form is Form.TABLE:
        advise("What the workers may do, each tells by itself: python -m <service> check.")
    if any(one.verdict == "failed" for one in found):
        raise typer.Exit(Exit.FAILED)


def _all(
    session: Session, auth: httpx.Auth | None, *, local: bool, services: list[str], destinations: list[str]
) -> Iterator[Finding]:
    yield from api_findings("ingests API", session.api, auth, _INGESTS)
    yield from api_findings("bag register", session.register, auth, _BAGS)
    if local:
        yield from local_findings(services, destinations)
