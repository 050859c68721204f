"""The gate as the ledger keeps it: budgets by location, and books of what was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

from bag_warmer.asking import Sent
from bag_warmer.billing import Billing
from bag_warmer.gate import Errand, Permit
from bag_warmer.wishes import Wish
from common.domain.location import LocationId
from common.ledger.claims import Patience
from common.ledger.engine import transaction
from common.ledger.thawing import asking
from common.ledger.thawing.admitting import Later, Need, Terms, admit, affords, note, prolonged
from common.ledger.thawing.asking import Bill
from common.outcome import Wait
from common.ports import ObjectInfo, Restore, Tier
from common.thawing.budget import MOST_EXTENSIONS
from common.thawing.costs import Amount
from common.thawing.tiers import Span, span
from common.thawing.warmth import class_of, request_for

if TYPE_CHECKING:
    from sqlalchemy import Engine

_SPARE_TIME = timedelta(days=1)
_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class House:
    """What the gate has to know of the locations."""

    billing: Billing
    terms: Mapping[LocationId, Terms]
    """Of locations that have a budget."""


class LedgerGate:
    """Safe to share between threads."""

    def __init__(self, engine: Engine, house: House) -> None:
        self._engine = engine
        self._house = house

    def admit(self, errand: Errand, frozen: Sequence[ObjectInfo], wish: Wish) -> Permit:
        terms = self._house.terms.get(errand.source.id)
        most = terms.budget.most_extensions if terms else MOST_EXTENSIONS
        if not frozen:
            return Permit(may_extend=self._may_prolong(terms), most_extensions=most)
        with transaction(self._engine) as connection:
            if terms is None:
                # Nothing holds it back; when it was asked for, and how much it is, is what expectations go by.
                note(connection, self._need(errand, frozen, wish, wish.days), location=errand.source.id.value)
                return Permit()
            answer = admit(connection, self._need(errand, frozen, wish, terms.budget.longest_days), terms)
        if isinstance(answer, Later):
            # Not a stall as long as somebody looks: its promise grows with its wait.
            promised = answer.waited + answer.again_in + _SPARE_TIME
            return Permit(held=Wait(answer.again_in, answer.why, promised=promised, about="budget"))
        return Permit(days=answer.days, may_extend=answer.may_extend, most_extensions=most)

    def asked(self, errand: Errand, accepted: Sequence[Sent]) -> None:
        bills = [self._bill(errand, key, list(sent)) for key, sent in groupby(sorted(accepted, key=_order), key=_kind)]
        with transaction(self._engine) as connection:
            asking.record(
                connection,
                kind=errand.kind,
                row_id=errand.row_id,
                ingest_id=errand.ingest_id,
                location=errand.source.id.value,
                bills=bills,
            )
            if terms := self._house.terms.get(errand.source.id):
                # What is thawed was counted when it was let in; nobody is let in to prolong.
                for bill in bills:
                    if bill.extension:
                        prolonged(connection, terms, requests=bill.objects, cost=bill.cost)

    def readable(self, errand: Errand, until: datetime) -> None:
        if errand.source.id in self._house.terms:
            with transaction(self._engine) as connection:
                asking.expiring(connection, kind=errand.kind, row_id=errand.row_id, at=until)

    def _may_prolong(self, terms: Terms | None) -> bool:
        if terms is None or terms.budget.cost_per_month is None:
            return True
        with transaction(self._engine) as connection:
            return affords(connection, terms)

    def _need(self, errand: Errand, frozen: Sequence[ObjectInfo], wish: Wish, longest: int) -> Need:
        cost, spans = Decimal(0), list[Span]()
        for info in frozen:
            name, tier = class_of(info), request_for(info, tier=wish.tier_of(info), days=1).tier
            spans.append(span(name, tier))
            days = errand.named_days or longest
            one = Amount(1, info.size)
            cost += self._house.billing.restored(
                errand.source.id, storage_class=name, tier=tier, amount=one, days=days
            ).total
        return Need(
            kind=errand.kind,
            row_id=errand.row_id,
            ingest_id=errand.ingest_id,
            objects=len(frozen),
            bytes=sum(info.size for info in frozen),
            cost=cost,
            span=Span(min(one.soonest for one in spans), max(one.latest for one in spans)),
            days=errand.named_days,
        )

    def _bill(self, errand: Errand, key: tuple[str, Tier, int | None, bool], sent: Sequence[Sent]) -> Bill:
        name, tier, days, extension = key
        amount = Amount(len(sent), sum(one.info.size for one in sent))
        return self._house.billing.bill(
            errand.source.id, storage_class=name, tier=tier, days=days, amount=amount, extension=extension
        )


class Prolonging:
    """The look at readable copies that expire before it is their turn to be copied: a chore of every warmer."""

    def __init__(
        self, engine: Engine, terms: Mapping[LocationId, Terms], *, margin: timedelta, patience: Patience
    ) -> None:
        self._engine = engine
        self._terms = terms
        self._margin = margin
        self._patience = patience

    def __call__(self) -> None:
        for terms in self._terms.values():
            with transaction(self._engine) as connection:
                asking.send_back(
                    connection,
                    location=terms.location,
                    margin=self._margin,
                    most_extensions=terms.budget.most_extensions,
                    patience=self._patience,
                    at_most=_AT_MOST,
                )


def _kind(sent: Sent) -> tuple[str, Tier, int | None, bool]:
    extension = sent.answer is Restore.ALREADY_RESTORED
    return class_of(sent.info), sent.request.tier, sent.request.days, extension


def _order(sent: Sent) -> tuple[str, str, int, bool]:
    name, tier, days, extension = _kind(sent)
    return name, tier.value, days or 0, extension
