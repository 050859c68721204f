"""No path, URL or key of a bag leads outside the bag's own prefixes, to another host, or into the computer's files."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.domain.naming import Names
from common.outcome import Done
from pipeline.contained import BAG, DESTINATION, NEIGHBOURS, SOURCE, Touched, adopt, carry, listening, put
from unit.common.domain.bagit.bags import HELLO, Files, bag, entry
from unit.common.domain.bagit.hostile_manifests import MANIFEST_CASES
from unit.common.domain.bagit.hostile_tag_files import FETCH_CASES, TAG_FILE_CASES
from unit.common.runtime.archives import Archive

CASES = {**MANIFEST_CASES, **TAG_FILE_CASES, **FETCH_CASES}
OURS = f"s3://{SOURCE.bucket}/{SOURCE.prefix}"
URLS = [
    "http://169.254.169.254/latest/meta-data/",
    "http://[::1]:80/",
    "https://example.org/a",
    "file:///etc/passwd",
    "ftp://example.org/a",
    f"memory://{SOURCE.bucket}/{SOURCE.prefix}digitised/b10/v2/data/secret",
    f"memory://{SOURCE.bucket}/{SOURCE.prefix}digitised/b1/v1/../../b10/v2/data/secret",
    f"memory://{SOURCE.bucket}/{SOURCE.prefix}digitised/b1/v1/%2e%2e/%2e%2e/b10/v2/data/secret",
    f"memory://{SOURCE.bucket}/{SOURCE.prefix}digitised/b1/v1/..%2f..%2fsecret",
    f"memory://{SOURCE.bucket}/{SOURCE.prefix}digitised/b1/v10/secret",
    f"memory://{SOURCE.bucket}/{SOURCE.prefix}digitised/b1/v2/data/hello.txt",
    f"memory://{SOURCE.bucket}/secret",
    f"memory://elsewhere/{SOURCE.prefix}digitised/b1/v1/data/a",
    f"memory://{SOURCE.bucket}@example.org/{SOURCE.prefix}digitised/b1/v1/data/a",
    f"{OURS}digitised/b1/v1/data/a",
]
NAMES = [
    "data/../../../b10/v2/data/secret",
    "data/%2e%2e/%2E%2E/secret",
    "data/..",
    "../v10/secret",
    "/etc/passwd",
    "~/.ssh/id_ed25519",
    "data\\..\\..\\secret",
    "C:\\secret",
    "\\\\server\\share\\secret",
    "data/a\x00/../secret",
    "http://169.254.169.254/data/a",
    "data//../secret",
]


def run(files: Files, *, names: Names) -> tuple[Touched, Archive, bool]:
    """The bag through import, planning, copying, verifying and counting, as far as it comes."""
    archive = Archive()
    put(archive, files)
    with listening(archive) as touched:
        pins = adopt(archive)
        outcome = carry(archive, pins, names=names)
    return touched, archive, isinstance(outcome, Done)


def held(touched: Touched, archive: Archive) -> None:
    """Raises where anything but the bag was touched: its versions at the source, its own at the destination."""
    root, own = SOURCE.bag_root(BAG) + "/", DESTINATION.root(BAG)
    strays = [(operation, key) for operation, key in touched.source if not key.startswith(root)]
    strays += [(operation, key) for operation, key in touched.destination if not key.startswith(own)]
    secrets = [key for _, key in (*touched.source, *touched.destination) if key.endswith(NEIGHBOURS)]
    assert (strays, secrets, touched.addresses, touched.files) == ([], [], [], [])
    assert {operation for operation, _ in touched.source} <= {"list", "head", "read"}
    written = {key for key in archive.at(DESTINATION) if not key.endswith(NEIGHBOURS)}
    assert {key for key in written if not key.startswith(own)} == set()
    for segment in (part for key in written for part in key.split("/")):
        assert segment not in ("", ".", ".."), written


@pytest.mark.parametrize("names", [Names.REFUSE, pytest.param(Names.MAP, marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", CASES)
def test_a_hostile_bag_stays_in_its_own_prefixes(case: str, names: Names) -> None:
    files, expected = CASES[case]

    touched, archive, whole = run(files, names=names)

    held(touched, archive)
    assert not (whole and expected.errors and "bag_fetch_not_allowed" not in expected.errors), "it was copied"


@pytest.mark.parametrize("url", URLS)
def test_a_url_of_fetch_txt_is_never_followed(url: str) -> None:
    files = bag(
        manifest=entry("data/hello.txt") + entry("data/fetched", b"x"),
        tags={"fetch.txt": f"{url} 1 data/fetched\n".encode()},
    )

    touched, archive, whole = run(files, names=Names.REFUSE)

    held(touched, archive)
    assert not whole


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("version", ["0.97", "1.0"])
def test_a_name_that_leads_elsewhere_is_refused_in_the_manifest_and_as_a_key(name: str, version: str) -> None:
    listed = bag(manifest=entry("data/hello.txt") + entry(name), version=version)
    there = bag({"data/hello.txt": HELLO, name: HELLO}, version=version)
    tag = bag(tags={name: HELLO}, version=version)

    for files in (listed, there, tag):
        touched, archive, whole = run(files, names=Names.MAP)
        held(touched, archive)
        assert not whole


pieces = st.sampled_from(
    ["..", ".", "", "data", "%2e%2e", "~", "\\", "b10", "v10", "v2", "secret", "\x00", "é", " ", "a"]
)
paths = st.lists(pieces, min_size=1, max_size=6).map("/".join)


@given(st.lists(paths, max_size=4), st.lists(paths, max_size=4), st.sampled_from(["0.97", "1.0"]))
@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
def test_any_names_in_manifest_fetch_txt_and_store_stay_in_the_bag(
    listed: list[str], there: list[str], version: str
) -> None:
    fetched = "".join(f"memory://{SOURCE.bucket}/{path} 1 {path}\n" for path in listed)
    files = bag(
        {"data/hello.txt": HELLO, **dict.fromkeys((f"data/{path}" for path in there), HELLO)},
        manifest=entry("data/hello.txt") + b"".join(entry(path) for path in listed),
        tags={"fetch.txt": fetched.encode()} if fetched else {},
        version=version,
    )

    touched, archive, _ = run(files, names=Names.MAP)

    held(touched, archive)


def test_a_bag_that_is_well_is_copied_by_the_same_means() -> None:
    touched, archive, whole = run(bag(), names=Names.REFUSE)

    held(touched, archive)
    assert whole
    assert archive.at(DESTINATION)[DESTINATION.root(BAG) + "data/hello.txt"] == HELLO
