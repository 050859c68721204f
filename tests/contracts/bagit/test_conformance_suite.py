"""The Library of Congress's BagIt conformance suite, read from a dictionary and from every kind of store."""

from __future__ import annotations

from pathlib import Path
from unicodedata import normalize

import pytest

from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.registry import open_store
from common.domain.location import LocationId, Provider
from common.ports import ObjectStore
from contracts.bagit.outcomes import EXPECTED
from contracts.bagit.store_source import StoreSource
from contracts.bagit.suite import MISSING, SUITE, suite_bags, suite_files
from unit.common.domain.bagit.bags import HELLO, DictSource, bag, judged, reject, warn

needs_suite = pytest.mark.skipif(not SUITE.is_dir(), reason=MISSING)


@pytest.fixture(scope="session", params=["memory", "local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ObjectStore:
    if request.param == "memory":
        config = LocationConfig(id=LocationId("memory"), provider=Provider.MEMORY, bucket="bagit-conformance")
    elif request.param == "local":
        directory: Path = tmp_path_factory.mktemp("bagit-conformance")
        config = LocationConfig(id=LocationId("local"), provider=Provider.LOCAL, bucket=str(directory))
    else:
        server = request.getfixturevalue("s3_server")
        config = LocationConfig(
            id=LocationId("s3"),
            provider=Provider.AMAZON_S3,
            bucket=server.bucket(),
            endpoint=server.endpoint,
            region=server.region,
            access_key_id=server.access_key_id,
            secret_access_key=server.secret_access_key,
        )
    return open_store(config)


@needs_suite
def test_every_bag_of_the_suite_has_a_row_and_every_row_a_bag() -> None:
    assert suite_bags() == set(EXPECTED)


@needs_suite
@pytest.mark.parametrize("name", EXPECTED)
def test_a_bag_of_the_suite_gets_the_outcome_of_its_row(name: str) -> None:
    assert judged(DictSource(suite_files(name))) == EXPECTED[name].outcome


@needs_suite
@pytest.mark.parametrize("name", EXPECTED)
def test_a_bag_of_the_suite_gets_the_same_outcome_from_a_store(store: ObjectStore, name: str) -> None:
    assert judged(StoreSource.of(store, f"suite/{name}/", suite_files(name))) == EXPECTED[name].outcome


def test_two_names_that_differ_by_case_are_two_files_in_a_store(store: ObjectStore) -> None:
    files = bag({"data/hello.txt": HELLO, "data/HELLO.txt": HELLO})

    assert judged(StoreSource.of(store, "case-twins/", files)) == warn("bag_case_twins")


def test_two_normalisation_forms_of_a_name_are_two_files_in_a_store(store: ObjectStore) -> None:
    files = bag({normalize(form, "data/Núñez"): HELLO for form in ("NFC", "NFD")})

    assert judged(StoreSource.of(store, "twins/", files)) == reject("bag_normalisation_twins")


def test_names_with_percent_signs_plus_signs_and_spaces_at_the_end_come_back_from_a_store(store: ObjectStore) -> None:
    manifest_names = {"data/100%.txt": "data/100%25.txt", "data/a+b c": "data/a+b c", "data/a ": "data/a "}
    files = bag(dict.fromkeys(manifest_names, HELLO), listed=dict.fromkeys(manifest_names.values(), HELLO))

    assert judged(StoreSource.of(store, "odd-names/", files)) == warn()


@pytest.mark.parametrize("name", EXPECTED)
def test_an_outcome_that_differs_from_the_suites_category_says_why(name: str) -> None:
    expected = EXPECTED[name]
    accepted_by_suite = name.split("/")[1] in ("valid", "warning")

    assert bool(expected.differs_because) == (accepted_by_suite == bool(expected.outcome.errors))


@pytest.mark.parametrize("name", [name for name in EXPECTED if "/warning/" in name])
def test_a_bag_of_the_warning_category_gets_a_warning_or_is_refused(name: str) -> None:
    outcome = EXPECTED[name].outcome

    assert outcome.warnings or outcome.errors
