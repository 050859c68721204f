"""The typed client of the Backfill APIs.

from backfill_client import BackfillClient

with BackfillClient("http://127.0.0.1:9001", register="http://127.0.0.1:9002") as backfill:
    ingest = backfill.create_backfill("digitised", "b12345", destination="azure")
    for ingest in backfill.watch_ingest(ingest.id):
        print(ingest.status)
"""

from backfill_client.client import BackfillClient
from backfill_client.errors import ApiRefused, ApiUnreachable, BackfillClientError, NotFound
from backfill_client.models import (
    Amount,
    Bag,
    BagVersionSummary,
    File,
    Import,
    ImportProblem,
    Ingest,
    Location,
    UnbackfilledBag,
    UnbackfilledPage,
)

__all__ = [
    "Amount",
    "ApiRefused",
    "ApiUnreachable",
    "BackfillClient",
    "BackfillClientError",
    "Bag",
    "BagVersionSummary",
    "File",
    "Import",
    "ImportProblem",
    "Ingest",
    "Location",
    "NotFound",
    "UnbackfilledBag",
    "UnbackfilledPage",
]
