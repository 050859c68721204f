"""The typed client of the Backfill APIs.

from backfill_client import BackfillClient

with BackfillClient.from_environment() as backfill:  # BACKFILL_API and BACKFILL_CREDENTIALS, as for the command line
    ingest = backfill.create_backfill("digitised", "b12345", destination="azure")
    for ingest in backfill.watch_ingest(ingest.id):
        print(ingest.status)
"""

from backfill_client.asking import Wish
from backfill_client.client import BackfillClient
from backfill_client.credentials import Credentials
from backfill_client.errors import ApiRefused, ApiUnreachable, BackfillClientError, NotFound
from backfill_client.models import (
    Amount,
    ApiClient,
    Bag,
    BagVersionSummary,
    File,
    Import,
    ImportProblem,
    Ingest,
    Location,
)
from backfill_client.reports import Coverage, UnbackfilledBag, UnbackfilledPage
from backfill_client.streams import News

__all__ = [
    "Amount",
    "ApiClient",
    "ApiRefused",
    "ApiUnreachable",
    "BackfillClient",
    "BackfillClientError",
    "Bag",
    "BagVersionSummary",
    "Coverage",
    "Credentials",
    "File",
    "Import",
    "ImportProblem",
    "Ingest",
    "Location",
    "News",
    "NotFound",
    "UnbackfilledBag",
    "UnbackfilledPage",
    "Wish",
]
