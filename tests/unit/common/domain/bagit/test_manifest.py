from __future__ import annotations

from common.domain.bagit.fetch import FetchEntry, FetchReader
from common.domain.bagit.manifest import Entry, ManifestReader
from common.domain.bagit.names import Manifest, ManifestKind
from common.domain.fixity import Algorithm
from common.domain.problem import Problem
from unit.common.domain.bagit.bags import digest

SHA256 = Manifest("manifest-sha256.txt", ManifestKind.PAYLOAD, Algorithm.SHA256)
VALUE = digest(b"")


def entries(*lines: str, strict: bool = True) -> tuple[list[Entry], list[tuple[str, int | None]]]:
    """Entries, then code and line of each problem."""
    problems: list[Problem] = []
    reader = ManifestReader(SHA256, strict=strict, windows=True, max_entries=9, report=problems.append)
    found = list(reader.entries(enumerate(lines, start=1)))
    return found, [(problem.code, problem.line) for problem in problems]


def test_digests_come_out_in_lower_case() -> None:
    assert entries(f"{VALUE.upper()}  data/a") == ([Entry(1, "data/a", VALUE)], [])


def test_a_bad_line_is_reported_with_its_number_and_the_others_are_read() -> None:
    found, problems = entries(f"{VALUE}  data/a", "lost", f"{VALUE}  data/b")

    assert (found, problems) == ([Entry(1, "data/a", VALUE), Entry(3, "data/b", VALUE)], [("bag_manifest_line", 2)])


def test_from_1_0_an_encoded_path_is_read_decoded_and_the_literal_kept() -> None:
    assert entries(f"{VALUE}  data/a%25b") == ([Entry(1, "data/a%b", VALUE, "data/a%25b")], [])


def test_before_1_0_an_encoded_path_is_read_literally_and_the_decoded_kept() -> None:
    assert entries(f"{VALUE}  data/a%25b", strict=False) == ([Entry(1, "data/a%25b", VALUE, "data/a%b")], [])


def test_another_reading_that_is_unsafe_is_not_kept() -> None:
    assert entries(f"{VALUE}  data/%25x%25", strict=False) == ([Entry(1, "data/%25x%25", VALUE)], [])


def test_from_1_0_a_stray_percent_sign_leaves_only_the_text_itself() -> None:
    assert entries(f"{VALUE}  data/100%") == ([Entry(1, "data/100%", VALUE, "data/100%")], [])


def test_a_fetch_entry_has_its_url_and_length_as_written() -> None:
    reader = FetchReader(strict=True, windows=True, max_entries=9, report=lambda problem: None)

    found = list(reader.entries([(1, "s3://b/a%20b 12 data/a%0Ab"), (2, "https://x.org/ - data/ c ")]))

    assert found == [
        FetchEntry(1, "data/a\nb", "s3://b/a%20b", 12),
        FetchEntry(2, "data/ c ", "https://x.org/", None),
    ]
