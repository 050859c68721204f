"""backfill events"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Annotated

import typer

from backfill_client.client import BackfillClient
from backfill_client.output import Form, console, moment
from backfill_client.session import OutputOption, connected, form_of
from backfill_client.streams import News

_COLUMNS = ("id", "when", "about", "destination", "status", "event")


def events(
    context: typer.Context,
    ingest: Annotated[str | None, typer.Option(help="Of this ingest only, from its beginning to its end")] = None,
    campaign: Annotated[str | None, typer.Option(help="Of this campaign only")] = None,
    after: Annotated[str | None, typer.Option(help="Go on behind the event with this id", metavar="ID")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="End after so many events")] = None,
    output: OutputOption = None,
) -> None:
    """Tell what happens, as it happens, until it is interrupted; as json, a line for each event."""
    if ingest and campaign:
        raise typer.BadParameter("name one of them", param_hint="--ingest, --campaign")
    form = form_of(context, output)
    if form is Form.CSV:
        csv.writer(sys.stdout, lineterminator="\n").writerow(_COLUMNS)
    with connected(context) as client:
        for news in islice(_told(client, ingest=ingest, campaign=campaign, after=after), limit):
            _show(news, form)


def _told(client: BackfillClient, *, ingest: str | None, campaign: str | None, after: str | None) -> Iterator[News]:
    if ingest:
        return client.streams.ingest(ingest, after=after)
    return client.streams.campaign(campaign, after=after) if campaign else client.streams.everything(after=after)


def _show(news: News, form: Form) -> None:
    """Flushed at once: somebody may read from a pipe."""
    when = moment(news.created_date)
    if form is Form.JSON:
        print(news.model_dump_json(by_alias=True, exclude_none=True), flush=True)
    elif form is Form.CSV:
        row = (news.id, when, news.about, news.destination or "", news.status or "", news.description)
        csv.writer(sys.stdout, lineterminator="\n").writerow(row)
        sys.stdout.flush()
    else:
        console().print(f"{when}  {news.about}  {news.description}", markup=False)
