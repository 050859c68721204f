"""What the services need from the outside world. The docstrings are the contract; tests/contracts holds every
adapter to them."""

from common.ports.cold import (
    BatchOrder,
    BatchRestores,
    BatchStatus,
    ColdStore,
    Family,
    Letter,
    Restore,
    RestoreQueue,
    Stores,
    Tier,
)
from common.ports.objects import (
    Body,
    Limits,
    ObjectInfo,
    ObjectStore,
    PartCopier,
    PartReceipt,
    PendingUpload,
    RestoreStatus,
    Upload,
)
from common.ports.queues import Courier, Delivery
from common.ports.several import AllCreated, AllFetched, Fetched, GoingOn, New, Several, Wanted, always

__all__ = [
    "AllCreated",
    "AllFetched",
    "BatchOrder",
    "BatchRestores",
    "BatchStatus",
    "Body",
    "ColdStore",
    "Courier",
    "Delivery",
    "Family",
    "Fetched",
    "GoingOn",
    "Letter",
    "Limits",
    "New",
    "ObjectInfo",
    "ObjectStore",
    "PartCopier",
    "PartReceipt",
    "PendingUpload",
    "Restore",
    "RestoreQueue",
    "RestoreStatus",
    "Several",
    "Stores",
    "Tier",
    "Upload",
    "Wanted",
    "always",
]
