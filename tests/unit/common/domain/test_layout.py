"""Where bags lie below a location's prefix."""

from __future__ import annotations

import pytest

from common.domain.bag import BagVersion
from common.domain.layout import Layout
from common.domain.location import Location, LocationId, Provider

BAG = BagVersion.of("digitised", "PP/MIA/1", 3)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("{space}/{externalIdentifier}/v{n}", "digitised/PP/MIA/1/v3"),
        ("items/{space}/{externalIdentifier}/v{n}", "items/digitised/PP/MIA/1/v3"),
        ("{externalIdentifier}/in/{space}.d/v{n}", "PP/MIA/1/in/digitised.d/v3"),
    ],
)
def test_a_place_is_read_as_it_is_written(pattern: str, path: str) -> None:
    place = Location(LocationId("cold"), Provider.MEMORY, "b", "bags/", layout=Layout(pattern))
    assert place.root(BAG) == f"bags/{path}/"
    assert place.layout.bag_at(path) == BAG
    assert place.layout.bag_around(f"{path}/data/other/b/v1/x") == path


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "{space}/{externalIdentifier}",
        "{space}/v{n}",
        "{externalIdentifier}/v{n}",
        "{space}{externalIdentifier}/v{n}",
        "{space}/{space}/{externalIdentifier}/v{n}",
        "/{space}/{externalIdentifier}/v{n}",
        "{space}//{externalIdentifier}/v{n}",
        "{space}/{bag}/{externalIdentifier}/v{n}",
    ],
)
def test_a_layout_that_could_not_be_read_back_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="must"):
        Layout(pattern)


@pytest.mark.parametrize("path", ["", "digitised", "digitised/v1", "digitised/b1/w1", "x/-b/v1", "/b1/v1"])
def test_what_is_no_place_of_a_bag_is_told_with_the_layout(path: str) -> None:
    with pytest.raises(ValueError, match=r"the path must be \{space\}/\{externalIdentifier\}/v\{n\}"):
        Layout().bag_at(path)
