"""More keys than a page of a listing holds, on every store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from contracts.objects.conftest import Place
from replica_aggregator.tally import VerifiedObject, tally

ROOT = "space/b1/v1/"
KEYS = [f"{ROOT}data/{number:05}" for number in range(10_001)]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_of_ten_thousand_and_one_keys_none_is_lost_and_one_too_many_on_the_eleventh_page_is_found(place: Place) -> None:
    store = place.open()
    extra = f"{ROOT}data/10000-stray"
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: store.create(key=key, data=b"x"), [*KEYS, extra]))

    listed = [info.key for info in store.list(prefix=ROOT)]
    rest = [info.key for info in store.list(prefix=ROOT, start_after=KEYS[9_998])]
    found = tally((VerifiedObject(key, 1, None) for key in KEYS), store.list(prefix=ROOT))

    assert listed == [*KEYS, extra]
    assert rest == [*KEYS[9_999:], extra]
    assert (found.agreed, found.missing, found.extra, found.named) == (10_001, 0, 1, {"extra": [extra]})
