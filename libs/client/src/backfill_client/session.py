"""What every command shares: where the API is, how to show things, and what exit codes mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Annotated

import typer

from backfill_client.client import BackfillClient
from backfill_client.credentials import Credentials
from backfill_client.errors import ApiRefused, ApiUnreachable
from backfill_client.output import Form, complain

API = "http://127.0.0.1:9001"
REGISTER = "http://127.0.0.1:9002"


class Exit(IntEnum):
    """Stable: scripts rely on them."""

    OK = 0
    FAILED = 1
    """The work itself failed: an ingest or an import."""
    USAGE = 2
    UNREACHABLE = 3
    REFUSED = 4


OutputOption = Annotated[
    Form | None, typer.Option("--output", "-o", help="table for people, json and csv for programs")
]


@dataclass(frozen=True)
class Session:
    """The options of the whole command line."""

    api: str
    register: str
    output: Form
    credentials: Credentials = field(default_factory=Credentials)

    def form(self, own: Form | None) -> Form:
        """The command's own --output goes before the general one."""
        return own or self.output


def session_for(
    *, api: str | None, register: str | None, output: Form, credentials: Credentials | None = None
) -> Session:
    """One address may serve both APIs; without any, each has its usual one on this machine.

    Raises BadParameter for what is no address.
    """
    for option, address in (("--api", api), ("--register-api", register)):
        if address and not address.startswith(("http://", "https://")):
            raise typer.BadParameter(f"{address!r} must begin with http:// or https://", param_hint=option)
    return Session(
        api=api or API, register=register or api or REGISTER, output=output, credentials=credentials or Credentials()
    )


_WHO = "Say who you are: set BACKFILL_CREDENTIALS, BACKFILL_CLIENT_ID and BACKFILL_CLIENT_SECRET, or BACKFILL_API_KEY."


def credentials_for(
    *,
    token: str | None,
    api_key: str | None,
    client_id: str | None,
    client_secret: str | None,
    path: Path | None,
) -> Credentials:
    """The first that is given. Raises BadParameter for an id without its secret, and for a file that is none."""
    if token or api_key:
        return Credentials(token=token, api_key=api_key)
    if bool(client_id) != bool(client_secret):
        raise typer.BadParameter("name both, or neither", param_hint="--client-id, --client-secret")
    if client_id or path is None:
        return Credentials(client_id=client_id, client_secret=client_secret)
    try:
        return Credentials.from_path(path)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--credentials") from None


_REMEDIES = {
    401: _WHO,
    403: "Ask an operator for a client with that scope; `backfill doctor` shows those that you have.",
    404: "Look for its name: `backfill bags list`, `ingest list` and `campaign list` show what there is.",
    409: "Look at it again with `show`: somebody, or its work, was faster.",
    429: "Wait a little, and ask for less at once.",
}


@contextmanager
def connected(context: typer.Context) -> Iterator[BackfillClient]:
    """A client whose errors end the command with the right exit code."""
    session: Session = context.find_object(Session) or session_for(api=None, register=None, output=Form.TABLE)
    with (
        telling(),
        BackfillClient(session.api, register=session.register, credentials=session.credentials) as client,
    ):
        yield client


@contextmanager
def telling() -> Iterator[None]:
    """Tells what the client could not do, and ends the command with the right exit code."""
    try:
        yield
    except ApiUnreachable as error:
        complain(str(error), "Is the service running? Name its address with --api or BACKFILL_API.")
        raise typer.Exit(Exit.UNREACHABLE) from None
    except ApiRefused as error:
        complain(f"{error.label}: {error.description}", _REMEDIES.get(error.status, ""))
        raise typer.Exit(Exit.REFUSED) from None


def form_of(context: typer.Context, own: Form | None) -> Form:
    session = context.find_object(Session)
    return session.form(own) if session else own or Form.TABLE
