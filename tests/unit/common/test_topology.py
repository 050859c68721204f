"""The pipeline's table."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from common import messages
from common.adapters.queues.names import queue_name
from common.domain.replica import ImportState, ReplicaState, SegmentState
from common.topology import (
    QUEUES,
    STAGES,
    Kind,
    Lane,
    Stage,
    hint_for,
    in_turn,
    queues_of,
    stage_of_queue,
    stage_of_row,
)

LEFT_BY_OTHERS = {ReplicaState.TRANSFERRING}
"""States that a row enters by a stage and leaves by what its segments do."""


def test_queue_names_suit_every_broker() -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,46}", queue) for queue in QUEUES)
    assert [queue_name(prefix="", queue=queue) for queue in QUEUES] == list(QUEUES)


def test_each_stage_has_a_queue_of_its_own_in_each_lane() -> None:
    assert len(QUEUES) == len(STAGES) * len(Lane)
    assert all(stage_of_queue(stage.queue(lane)) is stage for stage in STAGES for lane in Lane)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_where_a_stage_leads_another_stage_waits_or_nothing_is_left_to_do(stage: Stage) -> None:
    following = stage_of_row(stage.kind, stage.next_state)

    assert following or stage.next_state.terminal or stage.next_state in LEFT_BY_OTHERS
    assert following is not stage


def test_every_state_that_is_not_terminal_has_a_stage() -> None:
    states = [*ReplicaState, *SegmentState, *ImportState]

    without = {s for s in states if not s.terminal and not any(stage.state is s for stage in STAGES)}

    assert without == LEFT_BY_OTHERS


def test_every_hint_is_heard_by_one_stage() -> None:
    assert sorted(stage.hint.__name__ for stage in STAGES) == sorted(hint.__name__ for hint in get_args(messages.Hint))


@pytest.mark.parametrize("service", sorted({stage.service for stage in STAGES}))
def test_a_service_prefers_what_was_deposited_today(service: str) -> None:
    lanes = [queue.rpartition("_")[2] for queue in queues_of(service)]

    assert lanes == sorted(lanes, key=["daily", "backfill"].index)
    assert {"daily", "backfill"} == set(lanes)


@pytest.mark.parametrize("service", sorted({stage.service for stage in STAGES}))
def test_turns_change_nothing_but_what_is_preferred_within_a_lane(service: str) -> None:
    queues = queues_of(service)
    once, then, again = (in_turn(queues, turn) for turn in range(3))

    assert once == again == queues
    assert [queue.rpartition("_")[2] for queue in then] == [queue.rpartition("_")[2] for queue in queues]
    assert sorted(then) == sorted(queues)
    assert (then != queues) == (service == "bag_warmer")


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_stage_s_hint_names_its_row(stage: Stage) -> None:
    hint = hint_for(stage, 7)

    assert (type(hint), hint.row_id) == (stage.hint, 7)
    assert stage.kind in get_args(Kind)
