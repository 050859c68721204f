"""What we say of every bag of the Library of Congress's BagIt conformance suite, and why where the suite says other.

The suite's categories: `valid` and `warning` should be accepted, the others refused. Paths: suite version/category/bag.
"""

from __future__ import annotations

from typing import NamedTuple

from unit.common.domain.bagit.bags import ACCEPT, Outcome, reject, warn

WEAK = "bag_weak_checksums"
MD5 = warn(WEAK)
"""MD5 manifests only: accepted with a warning by the default policy."""
UNSAFE = reject("bag_path_unsafe", warnings=(WEAK,))
UNSAFE_FETCH = reject("bag_fetch_not_allowed", "bag_path_unsafe", warnings=(WEAK,))
HOLEY = reject("bag_fetch_not_allowed", "bag_fetch_present", "bag_file_unreferenced", warnings=(WEAK,))
_HOLEY_WHY = "policy: no fetch.txt, no tag file that no tag manifest lists, no file both fetched and present"


class Expected(NamedTuple):
    outcome: Outcome
    differs_because: str = ""
    """Empty where the suite's category says the same."""


EXPECTED: dict[str, Expected] = {
    "v0.93/valid/basic-bag": Expected(MD5),
    "v0.93/valid/duplicate-metadata-entries": Expected(MD5),
    "v0.94/valid/basic-bag": Expected(MD5),
    "v0.94/valid/duplicate-metadata-entries": Expected(MD5),
    "v0.95/valid/basic-bag": Expected(MD5),
    "v0.95/valid/duplicate-metadata-entries": Expected(MD5),
    "v0.96/valid/bag-in-a-bag": Expected(MD5),
    "v0.96/valid/bag-with-encoded-names": Expected(MD5),
    "v0.96/valid/bag-with-escapable-characters": Expected(MD5),
    "v0.96/valid/bag-with-leading-dot-slash-in-manifest": Expected(warn("bag_dot_slash", WEAK)),
    "v0.96/valid/bag-with-space": Expected(MD5),
    "v0.96/valid/basic-bag": Expected(MD5),
    "v0.96/valid/duplicate-metadata-entries": Expected(MD5),
    "v0.96/valid/holey-bag": Expected(HOLEY, _HOLEY_WHY),
    "v0.97/invalid/baginfo-missing-encoding": Expected(reject("bag_declaration_malformed")),
    "v0.97/invalid/bom-in-bagit.txt": Expected(reject("bag_byte_order_mark")),
    "v0.97/invalid/corrupt-data-file": Expected(
        reject("bag_file_corrupt", "bag_oxum_mismatch", warnings=(WEAK,)),
    ),
    "v0.97/invalid/corrupt-tag-file": Expected(reject("bag_file_corrupt", warnings=(WEAK,))),
    "v0.97/invalid/extra-file-in-bag": Expected(
        reject("bag_file_unlisted", "bag_oxum_mismatch", warnings=(WEAK,)),
    ),
    "v0.97/invalid/invalid-version-number": Expected(reject("bag_declaration_malformed")),
    "v0.97/invalid/missing-baginfo": Expected(reject("bag_file_absent", warnings=(WEAK,))),
    "v0.97/invalid/missing-bagit.txt": Expected(reject("bag_declaration_missing")),
    "v0.97/invalid/out-of-scope-file-paths-using-dot-notation": Expected(UNSAFE),
    "v0.97/invalid/out-of-scope-file-paths-using-dot-notation-for-fetch": Expected(UNSAFE_FETCH),
    "v0.97/invalid/same-filename-listed-twice-with-different-hashes": Expected(reject("bag_conflicting_entry")),
    "v0.97/linux-only/out-of-scope-file-paths-using-absolute-path": Expected(UNSAFE),
    "v0.97/linux-only/out-of-scope-file-paths-using-absolute-path-for-fetch": Expected(UNSAFE_FETCH),
    "v0.97/linux-only/out-of-scope-file-paths-using-shortcut": Expected(UNSAFE),
    "v0.97/linux-only/out-of-scope-file-paths-using-shortcut-for-fetch": Expected(UNSAFE_FETCH),
    "v0.97/linux-only/out-of-scope-file-paths-using-shortcut-username": Expected(UNSAFE),
    "v0.97/linux-only/out-of-scope-file-paths-using-shortcut-username-for-fetch": Expected(UNSAFE_FETCH),
    "v0.97/valid/ISO-8859-1-encoded-tag-files": Expected(MD5),
    "v0.97/valid/UTF-16-encoded-tag-files": Expected(MD5),
    "v0.97/valid/bag-in-a-bag": Expected(MD5),
    "v0.97/valid/bag-with-encoded-names": Expected(MD5),
    "v0.97/valid/bag-with-escapable-characters": Expected(MD5),
    "v0.97/valid/bag-with-leading-dot-slash-in-manifest": Expected(warn("bag_dot_slash", WEAK)),
    "v0.97/valid/bag-with-space": Expected(MD5),
    "v0.97/valid/basic-bag": Expected(MD5),
    "v0.97/valid/duplicate-metadata-entries": Expected(MD5),
    "v0.97/valid/holey-bag": Expected(HOLEY, _HOLEY_WHY),
    "v0.97/valid/minimal-bag": Expected(MD5),
    "v0.97/valid/uncommon-metadata-separators": Expected(ACCEPT),
    "v0.97/warning/duplicate-file-with-different-case": Expected(
        reject("bag_file_absent"), "the suite's snapshot has lost data/HELLO.txt on a file system that folds case"
    ),
    "v0.97/warning/made-with-md5sum-tools": Expected(warn("bag_md5sum_form", WEAK)),
    "v0.97/warning/relative-path": Expected(warn("bag_dot_slash")),
    "v0.97/warning/same-filename-listed-twice-with-different-normalization": Expected(
        reject("bag_normalisation_twins", "bag_file_unreferenced", warnings=("bag_normalisation_differs",)),
        "policy: two names that differ by normalisation form are refused, and the README is in no tag manifest",
    ),
    "v0.97/warning/same-filename-listed-twice-with-the-same-hash": Expected(
        reject("bag_file_unreferenced", warnings=("bag_duplicate_entry",)),
        "policy: the file `debug` is in no tag manifest; the duplicate itself is a warning, as the suite wants",
    ),
    "v0.97/warning/special-system-files": Expected(
        reject("bag_file_absent", "bag_oxum_mismatch", warnings=("bag_system_file",)),
        "the suite's snapshot has lost data/.DS_Store",
    ),
    "v0.97/windows-only/out-of-scope-file-paths-using-absolute-path": Expected(UNSAFE),
    "v0.97/windows-only/out-of-scope-file-paths-using-absolute-path-for-fetch": Expected(UNSAFE_FETCH),
    "v0.97/windows-only/out-of-scope-file-paths-using-shortcut": Expected(UNSAFE),
    "v0.97/windows-only/out-of-scope-file-paths-using-shortcut-for-fetch": Expected(UNSAFE_FETCH),
    "v0.97/windows-only/out-of-scope-file-paths-using-unc": Expected(UNSAFE),
    "v0.97/windows-only/out-of-scope-file-paths-using-unc-for-fetch": Expected(
        reject("bag_fetch_not_allowed", "bag_file_unreferenced", "bag_path_unsafe", warnings=(WEAK,))
    ),
    "v1.0/invalid/bagit-with-invalid-whitespace": Expected(reject("bag_declaration_malformed")),
    "v1.0/invalid/notAllManifestsListAllFiles": Expected(reject("bag_file_unlisted")),
    "v1.0/invalid/same-filename-listed-twice-with-different-hashes": Expected(reject("bag_declaration_malformed")),
    "v1.0/invalid/same-filename-listed-twice-with-the-same-hash": Expected(
        reject("bag_duplicate_entry", "bag_file_corrupt", "bag_file_unreferenced")
    ),
    "v1.0/valid/basicBag": Expected(ACCEPT),
}
