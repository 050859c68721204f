"""What thawing would cost and has cost, as both services answer it: documents, shapes and examples."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from common.ledger.thawing.asking import Bill
from common.thawing.estimates import money
from common.web.shapes import COUNT, TEXT, Schema, items, ref, shape, typed

_NULLABLE: Schema = {"type": ["string", "null"]}
_TIER = shape(
    ["tier", "total", "retrieval", "requests", "readableCopies", "withinSeconds", "exceeds"],
    tier=TEXT,
    total=TEXT,
    retrieval=TEXT,
    requests=TEXT,
    readableCopies=TEXT,
    withinSeconds=COUNT,
    exceeds=items(TEXT),
)
_COST = typed(
    "Cost",
    ["currency", "total", "requests", "unverified", "unknown"],
    currency=TEXT,
    total=TEXT,
    region=_NULLABLE,
    restoredDays=COUNT,
    requests=COUNT,
    thawing=items(_TIER),
    reading=TEXT,
    egress=_NULLABLE,
    unverified=items(TEXT),
    unknown=items(TEXT),
)
COST_OR_NONE = {"anyOf": [ref("Cost"), {"type": "null"}]}
_BILLED = typed(
    "Thawing",
    ["costs", "complete", "restores"],
    costs=items(shape(["currency", "total"], currency=TEXT, total=TEXT)),
    complete={"type": "boolean"},
    restores=items(
        shape(
            ["storageClass", "tier", "days", "extension", "objects", "bytes", "cost"],
            storageClass=TEXT,
            tier=TEXT,
            days={"type": ["integer", "null"]},
            extension={"type": "boolean"},
            objects=COUNT,
            bytes=COUNT,
            cost=TEXT,
        )
    ),
)
SCHEMAS: dict[str, Schema] = {"Cost": _COST, "Thawing": _BILLED}
COST_EXAMPLE = {
    "type": "Cost",
    "currency": "USD",
    "total": "9.31",
    "region": "us-east-1",
    "restoredDays": 3,
    "requests": 4120,
    "thawing": [
        {
            "tier": "Bulk",
            "total": "0.23",
            "retrieval": "0.00",
            "requests": "0.00",
            "readableCopies": "0.23",
            "withinSeconds": 43200,
            "exceeds": [],
        }
    ],
    "reading": "0.01",
    "egress": "9.07",
    "unverified": [],
    "unknown": [],
}
BILLED_EXAMPLE = {
    "type": "Thawing",
    "costs": [{"currency": "USD", "total": "0.15"}],
    "complete": True,
    "restores": [
        {
            "storageClass": "GLACIER",
            "tier": "Bulk",
            "days": 2,
            "extension": False,
            "objects": 4120,
            "bytes": 108212011008,
            "cost": "0.15",
        }
    ],
}


def billed_document(bills: Sequence[Bill]) -> dict[str, Any]:
    """What was really asked of the stores, and what it came to by the prices of its day."""
    sums: dict[str, Decimal] = {}
    for bill in bills:
        sums[bill.currency] = sums.get(bill.currency, Decimal(0)) + bill.cost
    return {
        "type": "Thawing",
        "costs": [{"currency": currency, "total": money(total)} for currency, total in sorted(sums.items())],
        "complete": all(bill.priced for bill in bills),
        "restores": [
            {
                "storageClass": bill.storage_class,
                "tier": bill.tier,
                "days": bill.days or None,
                "extension": bill.extension,
                "objects": bill.objects,
                "bytes": bill.bytes,
                "cost": money(bill.cost),
            }
            for bill in bills
        ],
    }
