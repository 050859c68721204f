"""What bags may be called."""

from __future__ import annotations

import pytest

from common.domain.bag import BagVersion, ExternalIdentifier, Space, Version


@pytest.mark.parametrize(
    "name", ["b12345", "PP/MIA/1", "a", "a b", "a.b", "a-b_c", "v1", "versions", "a/versions/b", "a/v1b", "vv1/a", "1"]
)
def test_an_external_identifier_may_be(name: str) -> None:
    assert str(ExternalIdentifier(name)) == name


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "must not be empty."),
        ("a:b", "may only contain letters, digits, spaces, and - _ / ."),
        ("é", "may only contain letters, digits, spaces, and - _ / ."),
        ("a\n", "may only contain letters, digits, spaces, and - _ / ."),
        ("a/v\u0661", "may only contain letters, digits, spaces, and - _ / ."),
        ("/a", "must not begin or end with a slash"),
        ("a/", "must not begin or end with a slash"),
        ("-a", "must begin and end with a letter or digit"),
        ("a.", "must begin and end with a letter or digit"),
        (" a", "must begin and end with a letter or digit"),
        ("a_", "must begin and end with a letter or digit"),
        ("a//b", "must not contain consecutive slashes"),
        ("a  b", "must not contain consecutive spaces"),
        ("a/./b", "must not contain . or .. as a segment"),
        ("a/../b", "must not contain . or .. as a segment"),
        ("a/versions", "must not end with /versions"),
        ("a/v1", "must not end with a version string"),
        ("v1/a", "must not begin with a version string"),
        ("a/v12/b", "must not contain a version string"),
    ],
)
def test_an_external_identifier_must_not_be(name: str, fault: str) -> None:
    with pytest.raises(ValueError) as refused:
        ExternalIdentifier(name)

    assert str(refused.value) == (fault if not name else f"{fault}, was {name}")


@pytest.mark.parametrize("name", ["", "a/b", "..", ".", "a\x00", "a\n"])
def test_a_space_must_not_be(name: str) -> None:
    with pytest.raises(ValueError, match="must"):
        Space(name)


@pytest.mark.parametrize(
    "text", ["", "1", "v0", "v01", "V1", "v-1", "v1.0", "v1 ", "v1\n", "v1/", "v\u0661", "v1000000000"]
)
def test_a_version_must_not_be_written(text: str) -> None:
    with pytest.raises(ValueError, match="Cannot parse version string"):
        Version.parse(text)


def test_versions_are_numbers_from_1_written_with_a_v() -> None:
    assert (Version.parse("v12"), str(Version(12))) == (Version(12), "v12")
    assert Version(2) < Version(10)
    with pytest.raises(ValueError, match="must be 1 or more, was 0"):
        Version(0)


def test_a_bag_version_has_the_same_path_at_every_provider() -> None:
    bag = BagVersion.of("digitised", "PP/MIA/1", 10)

    assert (bag.bag_path, bag.path) == ("digitised/PP/MIA/1", "digitised/PP/MIA/1/v10")
