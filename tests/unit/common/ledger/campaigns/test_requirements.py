"""Requirements: what an audit counts, and the campaigns that it begins by itself."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from sqlalchemy import Engine, func, select, update

from common.domain.campaign import CampaignState
from common.ledger.campaigns.records import CampaignRecord, list_campaigns
from common.ledger.engine import transaction
from common.ledger.requirements.auditing import audit_next
from common.ledger.requirements.stating import Healing, Requirement, every_requirement, state, take_back
from common.ledger.requirements.tables import requirements
from unit.common.ledger.campaigns.builders import end, let_in, prepared, some_bags

_HOUR = timedelta(hours=1)


def a_requirement(engine: Engine, *, space: str | None = None, healing: Healing | None = None) -> Requirement:
    with transaction(engine) as connection:
        return state(connection, location_id="azure", space=space, healing=healing, actor="ada")


def audit(engine: Engine) -> int | None:
    with transaction(engine) as connection:
        return audit_next(connection, period=_HOUR, new_id=uuid4())


def an_hour_passes(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(update(requirements).values(audited_at=func.now() - _HOUR * 2))


def campaigns(engine: Engine) -> list[CampaignRecord]:
    with transaction(engine) as connection:
        return list_campaigns(connection, before=None, limit=100, only_open=False)


def the_only(engine: Engine) -> Requirement:
    with transaction(engine) as connection:
        (found,) = every_requirement(connection)
    return found


def test_an_audit_counts_what_is_missing_and_begins_nothing_unless_healing_is_on(engine: Engine) -> None:
    some_bags(engine, 3)
    some_bags(engine, 2, space="other")
    a_requirement(engine, space="digitised")

    audited = audit(engine)

    found = the_only(engine)
    assert audited == found.id
    assert found.audited is not None
    assert (found.audited.missing_bags, found.audited.missing_bytes, found.audited.failed_bags) == (3, 30, 0)
    assert campaigns(engine) == []


def test_a_requirement_is_audited_once_a_period(engine: Engine) -> None:
    some_bags(engine, 1)
    a_requirement(engine)

    looks = [audit(engine) is not None for _ in range(2)]
    an_hour_passes(engine)
    looks.append(audit(engine) is not None)

    assert looks == [True, False, True]


def test_healing_copies_a_capped_number_at_a_time_until_nothing_is_missing(engine: Engine) -> None:
    some_bags(engine, 3)
    a_requirement(engine, healing=Healing(at_most=2))

    audit(engine)
    prepared(engine)
    first = let_in(engine)
    an_hour_passes(engine)
    audit(engine)
    assert len(campaigns(engine)) == 1, "one at a time: the cap would mean nothing otherwise"

    for identifier in first:
        end(engine, identifier)
    prepared(engine)
    an_hour_passes(engine)
    audit(engine)
    prepared(engine)
    end(engine, "b3")
    prepared(engine)
    an_hour_passes(engine)
    audit(engine)

    assert first == ["b1", "b2"]
    assert [(one.state, one.selected.bags, one.created_by) for one in campaigns(engine)] == [
        (CampaignState.FINISHED, 1, "audit"),
        (CampaignState.FINISHED, 2, "audit"),
    ]


def test_what_failed_is_left_to_people(engine: Engine) -> None:
    some_bags(engine, 1)
    a_requirement(engine, healing=Healing())
    audit(engine)
    prepared(engine)
    end(engine, "b1", "failed")
    prepared(engine)
    an_hour_passes(engine)

    audit(engine)

    found = the_only(engine)
    assert found.audited is not None
    assert (found.audited.missing_bags, found.audited.failed_bags, len(campaigns(engine))) == (1, 1, 1)


def test_stating_it_again_changes_the_healing_and_audits_at_once(engine: Engine) -> None:
    some_bags(engine, 1)
    first = a_requirement(engine)
    audit(engine)

    again = a_requirement(engine, healing=Healing(at_most=7))

    assert (again.id, again.healing, again.audited) == (first.id, Healing(at_most=7), None)


def test_a_requirement_that_is_taken_back_is_audited_no_more(engine: Engine) -> None:
    some_bags(engine, 1)
    stated = a_requirement(engine)

    with transaction(engine) as connection:
        gone = take_back(connection, stated.id)
        none = take_back(connection, stated.id)

    assert (gone, none, audit(engine)) == (stated, None, None)
    with transaction(engine) as connection:
        assert connection.execute(select(func.count()).select_from(requirements)).scalar_one() == 0
