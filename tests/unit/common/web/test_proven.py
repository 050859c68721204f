"""Tokens that were checked a moment ago, and when they are checked again."""

from __future__ import annotations

import pytest

from common.web.auth.directory import REMEMBERED
from common.web.auth.keys import PublicKey
from common.web.auth.proven import Proven
from common.web.auth.tokens import LEEWAY, BadToken
from unit.common.web.issuing import EC, NOW, STRANGE, FixedKeys, token, trusted


class Asked(FixedKeys):
    """Counts how often a key was asked for."""

    times = 0

    def find(self, key_id: str) -> PublicKey | None:
        self.times += 1
        return super().find(key_id)


class Deployment:
    """An issuer, and clocks that stand still."""

    def __init__(self) -> None:
        self.keys, self.seconds = Asked(EC), 0.0
        issuers = trusted(keys=self.keys).values()
        self.proven = Proven(issuers, now=lambda: NOW + self.seconds, clock=lambda: self.seconds)


def test_a_token_is_checked_once_in_ten_seconds() -> None:
    here, good = Deployment(), token()
    said = [here.proven.checked(good)]
    here.seconds = REMEMBERED - 0.1
    said += [here.proven.checked(good), here.proven.remembered(good)]
    first = here.keys.times
    here.seconds = REMEMBERED
    forgotten = here.proven.remembered(good)
    here.proven.checked(good)

    assert (said, first, forgotten, here.keys.times) == ([said[0]] * 3, 1, None, 2)


def test_an_expired_token_is_not_remembered() -> None:
    here, good = Deployment(), token(exp=NOW + 5 - LEEWAY)
    here.proven.checked(good)
    here.seconds = 4.9
    before = here.proven.remembered(good)
    here.seconds = 5

    assert (before is None, here.proven.remembered(good)) == (False, None)
    with pytest.raises(BadToken, match="it has expired"):
        here.proven.checked(good)


def test_what_proves_nothing_is_checked_each_time() -> None:
    here, bad = Deployment(), token(key=STRANGE)
    for _ in range(2):
        with pytest.raises(BadToken, match="its signature is wrong"):
            here.proven.checked(bad)

    assert (here.keys.times, here.proven.remembered(bad)) == (2, None)


def test_one_token_says_nothing_about_another() -> None:
    here, good = Deployment(), token()
    here.proven.checked(good)

    assert here.proven.remembered(good[:-1] + ("A" if good[-1] != "A" else "B")) is None
