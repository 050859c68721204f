"""Bags whose manifests or names other readers get wrong, and what is right."""

from __future__ import annotations

import unicodedata

from unit.common.domain.bagit.bags import (
    ACCEPT,
    HELLO,
    Files,
    Outcome,
    bag,
    declared,
    digest,
    entry,
    lines,
    reject,
    warn,
)

NFC = unicodedata.normalize("NFC", "data/Núñez")
NFD = unicodedata.normalize("NFD", "data/Núñez")
MIXED = "data/N\u00fan\u0303ez"
OLD = {"version": "0.97"}
HELLO_LINE = entry("data/hello.txt")
SHA512_MANIFEST = lines({"data/hello.txt": HELLO}, "sha512")
UNSAFE = reject("bag_path_unsafe")
MALFORMED = reject("bag_manifest_line")


def listing(path: str, **more: str) -> Files:
    """A bag whose manifest also lists `path`, which is nowhere."""
    return bag(manifest=HELLO_LINE + entry(path), **more)


def tag_listing(text: bytes) -> Files:
    """A bag with `text` appended to its tag manifest."""
    files = bag()
    return {**files, "tagmanifest-sha256.txt": files["tagmanifest-sha256.txt"] + text}


MANIFEST_CASES: dict[str, tuple[Files, Outcome]] = {
    "a plain bag": (bag(), ACCEPT),
    # Malformed lines hide lost files where they are skipped.
    "a manifest line without a separator": (bag(manifest=HELLO_LINE + b"lost.txt\n"), MALFORMED),
    "a manifest line that is commented out": (bag(manifest=HELLO_LINE + b"# " + entry("data/lost")), MALFORMED),
    "a blank line in a manifest": (bag(manifest=b"\n" + HELLO_LINE), MALFORMED),
    "a line of white space in a manifest": (bag(manifest=HELLO_LINE + b"  \n"), MALFORMED),
    "a line that begins with a space": (
        bag(manifest=b" " + HELLO_LINE),
        reject("bag_manifest_line", "bag_file_unlisted"),
    ),
    "a no-break space as separator": (
        bag(manifest=HELLO_LINE.replace(b"  ", "\u00a0".encode())),
        reject("bag_manifest_line", "bag_file_unlisted"),
    ),
    "a digest that is too short": (
        bag(manifest=HELLO_LINE[2:]),
        reject("bag_digest_malformed", "bag_file_unlisted"),
    ),
    "a digest with another letter": (
        bag(manifest=b"g" + HELLO_LINE[1:]),
        reject("bag_manifest_line", "bag_file_unlisted"),
    ),
    "a digest in upper case": (bag(manifest=digest(HELLO).upper().encode() + b" data/hello.txt\n"), ACCEPT),
    "a tab as separator": (bag(manifest=HELLO_LINE.replace(b"  ", b"\t")), ACCEPT),
    "many spaces and tabs as separator": (bag(manifest=HELLO_LINE.replace(b"  ", b" \t  \t")), ACCEPT),
    "lines that end in CR LF": (bag(manifest=HELLO_LINE.replace(b"\n", b"\r\n")), ACCEPT),
    "lines that end in CR": (
        bag({"data/a": HELLO, "data/b": HELLO}, manifest=(entry("data/a") + entry("data/b")).replace(b"\n", b"\r")),
        ACCEPT,
    ),
    "a last line without an end": (bag(manifest=HELLO_LINE[:-1]), ACCEPT),
    "a line separator U+2028 in a name": (bag({"data/a\u2028b": HELLO}), ACCEPT),
    # Names are data.
    "a name that ends with a space": (bag({"data/hello ": HELLO}), ACCEPT),
    "a name that ends with U+00A0": (bag({"data/hello\u00a0": HELLO}), ACCEPT),
    "a name that ends with a dot": (bag({"data/hello.": HELLO}), ACCEPT),
    "a name of three dots": (bag({"data/...": HELLO}), ACCEPT),
    "a name with spaces inside": (bag({"data/a  b": HELLO}), ACCEPT),
    "an emoji in a name": (bag({"data/🗄": HELLO}), ACCEPT),
    # Percent signs.
    "1.0: %25 in a name": (bag({"data/100%": HELLO}, manifest=entry("data/100%25")), ACCEPT),
    "1.0: %0a and %0D in a name": (bag({"data/a\nb\rc": HELLO}, manifest=entry("data/a%0ab%0Dc")), ACCEPT),
    "1.0: a raw percent sign": (bag({"data/100%.txt": HELLO}), warn("bag_percent_legacy")),
    "1.0: a literal %25 as older tools write it": (bag({"data/a%25b": HELLO}), warn("bag_percent_legacy")),
    "1.0: the decoded name goes before the literal": (
        bag({"data/a%b": HELLO, "data/a%25b": b"2"}, manifest=entry("data/a%25b") + entry("data/a%2525b", b"2")),
        ACCEPT,
    ),
    "1.0: two spellings of one file": (
        bag({"data/a%b": HELLO}, manifest=entry("data/a%25b") + entry("data/a%b")),
        reject("bag_duplicate_entry", warnings=("bag_percent_legacy",)),
    ),
    "0.97: a literal %0A in a name": (bag({"data/a%0Ab": HELLO}, **OLD), ACCEPT),
    "0.97: a literal %25 in a name": (bag({"data/a%25b": HELLO}, **OLD), ACCEPT),
    "0.97: an encoded LF": (bag({"data/a\nb": HELLO}, manifest=entry("data/a%0Ab"), **OLD), warn("bag_percent_legacy")),
    "1.0: %2e%2e is no way up": (bag({"data/%2e%2e/x": HELLO}), reject("bag_path_unsafe", "bag_file_unlisted")),
    # Unsafe paths.
    "..": (listing("../lost"), UNSAFE),
    ".. inside data": (listing("data/../../lost"), UNSAFE),
    ". inside data": (listing("data/./lost"), UNSAFE),
    "an empty segment": (listing("data//lost"), UNSAFE),
    "a directory": (listing("data/lost/"), UNSAFE),
    "an absolute path": (listing("/etc/passwd"), UNSAFE),
    "a home directory": (listing("~/lost"), UNSAFE),
    "another's home directory": (listing("~root/lost"), UNSAFE),
    "a backslash": (listing("data\\..\\lost"), UNSAFE),
    "a UNC path": (listing("\\\\server\\share"), UNSAFE),
    "a drive letter": (listing("C:/lost"), UNSAFE),
    "a Windows variable": (listing("data/%HOMEDRIVE%/lost"), UNSAFE),
    "NUL in a path": (listing("data/a\0b"), UNSAFE),
    "a tab in a path": (listing("data/a\tb"), UNSAFE),
    "an escape character in a path": (listing("data/\x1b[2J"), UNSAFE),
    "an absolute path after decoding nothing": (listing("%2Fetc/passwd"), reject("bag_manifest_scope")),
    # md5sum's forms, and ./
    "md5sum's star": (bag(manifest=HELLO_LINE.replace(b"  ", b" *")), warn("bag_md5sum_form")),
    "md5sum's escaped form": (bag(manifest=b"\\" + HELLO_LINE), warn("bag_md5sum_form")),
    "md5sum's escaped LF": (
        bag({"data/a\nb": HELLO}, manifest=b"\\" + entry("data/a\\nb")),
        warn("bag_md5sum_form"),
    ),
    "0.97: ./ before a path": (bag(manifest=entry("./data/hello.txt"), **OLD), warn("bag_dot_slash")),
    "0.97: ./a beside a": (
        bag(manifest=HELLO_LINE + entry("./data/hello.txt"), **OLD),
        warn("bag_dot_slash", "bag_duplicate_entry"),
    ),
    "1.0: ./ before a path": (
        bag(manifest=entry("./data/hello.txt")),
        reject("bag_path_unsafe", "bag_file_unlisted"),
    ),
    # Scope.
    "a payload manifest lists a tag file": (
        bag(manifest=HELLO_LINE + entry("bagit.txt", declared())),
        reject("bag_manifest_scope"),
    ),
    "a tag manifest lists a payload file": (tag_listing(HELLO_LINE), reject("bag_manifest_scope")),
    "a tag manifest lists a tag manifest": (tag_listing(entry("tagmanifest-md5.txt")), reject("bag_manifest_scope")),
    "a tag manifest lists what is not there": (tag_listing(entry("notes.txt")), reject("bag_file_absent")),
    "a tag manifest does not list the manifest": (
        {**bag(), "tagmanifest-sha256.txt": entry("bagit.txt", declared())},
        reject("bag_payload_manifest_unprotected"),
    ),
    "a wrong checksum in a tag manifest": (
        {**bag(), "bagit.txt": declared().replace(b"\n", b"\r\n")},
        reject("bag_file_corrupt"),
    ),
    "0.96: a wrong checksum in a tag manifest": (
        {**bag(version="0.96"), "bagit.txt": declared("0.96").replace(b"\n", b"\r\n")},
        reject("bag_file_corrupt"),
    ),
    "a corrupt tag file that BagIt does not define": (
        {**bag(tags={"notes/a.txt": HELLO}), "notes/a.txt": b"other\n"},
        reject("bag_file_corrupt"),
    ),
    # Completeness.
    "a lost payload file": (listing("data/lost"), reject("bag_file_absent")),
    "a payload file too many": ({**bag(), "data/more": b""}, reject("bag_file_unlisted")),
    "a tag file too many": ({**bag(), "debug": b""}, reject("bag_file_unreferenced")),
    "a corrupt payload file": ({**bag(), "data/hello.txt": b"jello\n"}, reject("bag_file_corrupt")),
    "an empty payload": (bag({}), ACCEPT),
    "a zero-byte file": (bag({"data/empty": b""}), ACCEPT),
    "directory markers": (
        {**bag(), "": b"", "data/": b"", "data/dir/": b"", "tags/": b""},
        warn("bag_directory_marker"),
    ),
    "a directory marker with bytes in it": ({**bag(), "data/dir/": b"x"}, reject("bag_file_unlisted")),
    "1.0: a file in one of two manifests": (
        bag({"data/hello.txt": HELLO, "data/b": b"b"}, tags={"manifest-sha512.txt": SHA512_MANIFEST}),
        reject("bag_not_in_every_manifest"),
    ),
    "0.97: a file in one of two manifests": (
        bag({"data/hello.txt": HELLO, "data/b": b"b"}, tags={"manifest-sha512.txt": SHA512_MANIFEST}, **OLD),
        ACCEPT,
    ),
    "1.0: a file twice": (bag(manifest=HELLO_LINE * 2), reject("bag_duplicate_entry")),
    "0.97: a file twice": (bag(manifest=HELLO_LINE * 2, **OLD), warn("bag_duplicate_entry")),
    "1.0: a file twice, with two digests": (
        bag(manifest=HELLO_LINE + entry("data/hello.txt", b"x")),
        reject("bag_conflicting_entry"),
    ),
    "0.97: a file twice, with two digests": (
        bag(manifest=HELLO_LINE + entry("data/hello.txt", b"x"), **OLD),
        reject("bag_conflicting_entry"),
    ),
    # Names that are nearly the same.
    "NFC in the manifest, NFD in the store": (
        bag({NFD: HELLO}, manifest=entry(NFC)),
        warn("bag_normalisation_differs"),
    ),
    "NFD in the manifest, NFC in the store": (
        bag({NFC: HELLO}, manifest=entry(NFD)),
        warn("bag_normalisation_differs"),
    ),
    "both forms in the store": (bag({NFC: HELLO, NFD: HELLO}), reject("bag_normalisation_twins")),
    "both forms in the store, one in the manifest": (
        bag({NFC: HELLO, NFD: HELLO}, manifest=entry(NFC)),
        reject("bag_normalisation_twins", "bag_file_unlisted"),
    ),
    "both forms in the manifest, one in the store": (
        bag({NFC: HELLO}, manifest=entry(NFC) + entry(NFD)),
        reject("bag_normalisation_twins", warnings=("bag_normalisation_differs",)),
    ),
    "a form in the manifest that could mean either of two in the store": (
        bag({NFC: HELLO, NFD: HELLO}, manifest=entry(MIXED)),
        reject("bag_normalisation_twins", "bag_file_unlisted", "bag_file_absent"),
    ),
    "names that differ by case": (bag({"data/hello": HELLO, "data/HELLO": HELLO}), warn("bag_case_twins")),
    "names that differ by the case of ß": (bag({"data/gruß": HELLO, "data/GRUSS": HELLO}), warn("bag_case_twins")),
    "what macOS and Windows leave behind": (
        bag({"data/.DS_Store": b"", "data/a/Thumbs.db": b""}),
        warn("bag_system_file"),
    ),
}  # fmt: skip
