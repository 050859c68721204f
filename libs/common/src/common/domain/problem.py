"""What is wrong with a bag, as values. Every code is stable and a heading of docs/reference/errors.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

_SHOWN = 160


class Severity(StrEnum):
    """Whether a bag with this problem is refused."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `message` names the file, the line, the value and the remedy."""

    code: str
    severity: Severity
    message: str
    path: str | None = None
    """The file of the bag it is about, relative to the bag's root."""
    line: int | None = None
    """The line of `path`, from 1."""


@dataclass(frozen=True, slots=True)
class ProblemCode:
    """What a code means, for the documentation and for messages."""

    code: str
    severity: Severity
    """What it is unless a policy says otherwise."""
    meaning: str
    """One sentence."""
    remedy: str
    """One sentence."""


def bag_problem(
    code: str,
    what: str,
    *,
    path: str | None = None,
    line: int | None = None,
    severity: Severity | None = None,
) -> Problem:
    """A problem of the table below; `what` is a clause without a full stop. Raises KeyError for an unknown code."""
    known = BAG_PROBLEMS[code]
    where = "" if path is None else f"{shown(path)}: " if line is None else f"{shown(path)}, line {line}: "
    return Problem(
        code=code,
        severity=severity or known.severity,
        message=f"{where}{what}. {known.remedy}",
        path=path,
        line=line,
    )


def shown(value: str) -> str:
    """`value` in quotes, control characters escaped, cut to a length fit for a log line."""
    return repr(value) if len(value) <= _SHOWN else f"{value[:_SHOWN]!r}… ({len(value)} characters)"


_E, _W = Severity.ERROR, Severity.WARNING
_ASK = "Ask whoever made the bag for a corrected one."
_TABLE = (
    # bagit.txt
    ("bag_declaration_missing", _E, "There is no bagit.txt at the bag's root.",
     "Check the bag's prefix; without bagit.txt it is not a bag."),
    ("bag_declaration_malformed", _E, "bagit.txt is not the two lines that BagIt prescribes, in their order.",
     "Write exactly 'BagIt-Version: M.N' and 'Tag-File-Character-Encoding: NAME'."),
    ("bag_version_unsupported", _E, "bagit.txt declares a BagIt version that is not known.",
     "Supported are 0.93, 0.94, 0.95, 0.96, 0.97 and 1.0."),
    ("bag_encoding_unsupported", _E, "bagit.txt declares a tag file encoding that is not on the closed list.",
     "Use UTF-8; also read are UTF-16, UTF-32, ISO-8859-1, ISO-8859-15, US-ASCII and Windows-1252."),
    # text
    ("bag_byte_order_mark", _E, "A tag file begins with a byte order mark that its encoding does not allow.",
     "Remove the mark."),
    ("bag_text_undecodable", _E, "A tag file has bytes that are not text in the declared encoding.",
     "Write the file in the encoding that bagit.txt declares."),
    ("bag_line_too_long", _E, "A line of a tag file is longer than the policy allows.",
     "Check that the file is text; if it is right, raise max_line_length."),
    ("bag_file_too_large", _E, "A tag file is larger than the policy allows.",
     "Check that the file is what its name says; if it is right, raise the policy's limit."),
    ("bag_too_many_entries", _E, "A manifest or fetch.txt has more entries than the policy allows.",
     "Split the bag, or raise max_entries."),
    # bag-info.txt
    ("bag_info_malformed", _E, "A line of bag-info.txt is neither 'Label: value' nor a continuation.", _ASK),
    ("bag_info_separator", _W, "A label of bag-info.txt is not set off by ':' and one space, as 1.0 prescribes.",
     "Nothing to do; the label and value were understood."),
    ("bag_oxum_malformed", _E, "Payload-Oxum is not 'octets.files', or is given more than once.",
     "Give it once, as two whole numbers with a dot between."),
    ("bag_oxum_mismatch", _E, "The payload's size or number of files is not what Payload-Oxum says.",
     "Compare the bag with its source: files are missing, added or cut."),
    # manifests
    ("bag_payload_manifest_missing", _E, "There is no payload manifest that can be read.",
     "Add manifest-sha512.txt or manifest-sha256.txt."),
    ("bag_tag_manifest_missing", _E, "There is no tag manifest, so nothing protects the manifests themselves.",
     "Add tagmanifest-sha512.txt or tagmanifest-sha256.txt."),
    ("bag_algorithm_unknown", _E, "A manifest's algorithm cannot be verified here.",
     "Rewrite the manifest with SHA-512 or SHA-256; it is never ignored."),
    ("bag_manifest_name", _W, "A manifest's name does not have the algorithm in lower case without punctuation.",
     "Nothing to do; other tools may overlook the manifest."),
    ("bag_manifest_twice", _E, "Two manifests of the same kind are for the same algorithm.",
     "Keep one manifest for each algorithm."),
    ("bag_manifest_line", _E, "A line of a manifest is not 'checksum path'; blank lines and comments do not exist.",
     "Correct the line: a skipped line would hide a lost file."),
    ("bag_digest_malformed", _E, "A checksum does not have the number of hex digits of its algorithm.", _ASK),
    ("bag_md5sum_form", _W, "A line has md5sum's '*' before the path or '\\' before the checksum.",
     "Nothing to do; the line was understood."),
    ("bag_dot_slash", _W, "A path begins with './', as bags before 1.0 sometimes have it.",
     "Nothing to do; the rest of the path was used."),
    ("bag_path_unsafe", _E, "A path could lead out of the bag or is not a plain relative file name.",
     "Rename the file and write a new bag."),
    ("bag_manifest_scope", _E, "A payload manifest lists a tag file, or a tag manifest lists what it must not.",
     "Payload manifests list data/ only; tag manifests list tag files other than tag manifests."),
    ("bag_percent_legacy", _W, "A path is only there when percent signs are read the way older tools wrote them.",
     "Nothing to do; the file that is there was used."),
    ("bag_duplicate_entry", _E, "A manifest lists a file more than once, with the same checksum.",
     "Remove the repeated line; bags before 1.0 are accepted with a warning."),
    ("bag_conflicting_entry", _E, "A manifest lists a file more than once, with different checksums.",
     "Find out which checksum is right and remove the other line."),
    ("bag_not_in_every_manifest", _E, "A payload file is not listed in every payload manifest, as 1.0 requires.",
     "Add the missing lines."),
    ("bag_payload_manifest_unprotected", _E, "A tag manifest does not list a payload manifest.",
     "Add the payload manifest's checksum to the tag manifest."),
    ("bag_weak_checksums", _W, "Only MD5 or SHA-1 protect some files; collisions with these can be made on purpose.",
     "Add manifests with SHA-512 or SHA-256."),
    # fetch.txt
    ("bag_fetch_not_allowed", _E, "The bag has a fetch.txt, and the policy does not allow it.",
     "Complete the bag, or allow fetch.txt in the policy."),
    ("bag_fetch_line", _E, "A line of fetch.txt is not 'URL length path' with an absolute URL.", _ASK),
    ("bag_fetch_scope", _E, "fetch.txt names a tag file.", "fetch.txt may list payload files only."),
    ("bag_fetch_unlisted", _E, "A file of fetch.txt is in no payload manifest.",
     "List it in every payload manifest, or remove the line."),
    ("bag_fetch_present", _E, "A file of fetch.txt is also present in the bag.",
     "Remove the line or the file: only one of them can be meant."),
    ("bag_fetch_duplicate", _E, "fetch.txt lists a file more than once.", "Keep one line for each file."),
    # files
    ("bag_file_absent", _E, "A listed file is not in the store.", "Find the file, or restore the bag from its source."),
    ("bag_file_unlisted", _E, "A payload file is in no payload manifest.",
     "Add the file to every payload manifest, or find out where it came from."),
    ("bag_file_unreferenced", _E, "A tag file is in no tag manifest (BagIt allows that; the policy does not).",
     "Add the file to the tag manifests."),
    ("bag_directory_marker", _W, "An empty object whose name ends with '/' stands for a directory; it is not copied.",
     "Nothing to do."),
    ("bag_normalisation_differs", _W, "A file's key has another Unicode normalisation form than the manifest.",
     "Nothing to do; the key that is there was used."),
    ("bag_normalisation_twins", _E, "Two names differ only by Unicode normalisation form.",
     "Rename one of the files: many systems cannot hold both."),
    ("bag_case_twins", _W, "Two names differ only by letter case.",
     "Nothing to do here; some systems cannot hold both."),
    ("bag_system_file", _W, "The payload has a file that an operating system left behind.", "Nothing to do."),
    # fixity
    ("bag_file_corrupt", _E, "A file's bytes do not have the checksum that a manifest gives.",
     "Do not copy this bag; restore the file from another replica."),
    ("bag_file_size_changed", _E, "A file has not as many bytes as the store listed.",
     "Find out who writes to the bag, then start again."),
)  # fmt: skip

BAG_PROBLEMS: Mapping[str, ProblemCode] = {row[0]: ProblemCode(*row) for row in _TABLE}
"""Every problem a bag can have, in the order of the documentation."""
