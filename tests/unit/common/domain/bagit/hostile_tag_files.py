"""Bags whose tag files other readers get wrong, and what is right."""

from __future__ import annotations

from unit.common.domain.bagit.bags import (
    ACCEPT,
    HELLO,
    Files,
    Outcome,
    bag,
    declared,
    entry,
    lines,
    reject,
    warn,
)

OLD = {"version": "0.97"}
HELLO_LINE = entry("data/hello.txt")
SHA512_MANIFEST = lines({"data/hello.txt": HELLO}, "sha512")
FAR = b"s3://bucket/x 6 data/far\n"
UNSAFE = reject("bag_path_unsafe")


def info(text: str) -> dict[str, bytes]:
    return {"bag-info.txt": text.encode()}


def listing(path: str, **more: str) -> Files:
    """A bag whose manifest also lists `path`, which is nowhere."""
    return bag(manifest=HELLO_LINE + entry(path), **more)


def fetching(text: str, *, listed: bool = True) -> Files:
    """A bag with a fetch.txt, its manifest listing data/far.txt."""
    manifest = HELLO_LINE + entry("data/far.txt") * listed
    return bag(manifest=manifest, tags={"fetch.txt": text.encode()})


TAG_FILE_CASES: dict[str, tuple[Files, Outcome]] = {
    # Manifest names.
    "the RFC's name for SHA3-256": (bag(algorithm="sha3256"), ACCEPT),
    "sha512256 is an algorithm": (bag(algorithm="sha512256"), ACCEPT),
    "an algorithm name with punctuation": (
        bag(tags={"manifest-sha3_256.txt": lines({"data/hello.txt": HELLO}, "sha3256")}),
        warn("bag_manifest_name"),
    ),
    "an algorithm name in upper case": (
        bag(tags={"manifest-SHA512.txt": SHA512_MANIFEST}),
        warn("bag_manifest_name"),
    ),
    "two manifests for one algorithm": (
        bag(tags={"manifest-SHA256.txt": HELLO_LINE}),
        reject("bag_manifest_twice", warnings=("bag_manifest_name", "bag_case_twins")),
    ),
    "an unknown algorithm beside a known one": (
        bag(tags={"manifest-whirlpool.txt": b"00  data/hello.txt\n"}),
        reject("bag_algorithm_unknown"),
    ),
    "a hash of no fixed length": (
        bag(tags={"manifest-shake_128.txt": b"00  data/hello.txt\n"}),
        reject("bag_algorithm_unknown"),
    ),
    "a line feed after an algorithm's name": (
        {**bag(), "tagmanifest-sha512\n.txt": b""},
        reject("bag_algorithm_unknown"),
    ),
    "no algorithm": (bag(tags={"manifest-.txt": b""}), reject("bag_algorithm_unknown")),
    "a hundred manifests of unknown algorithms": (
        bag(tags={f"manifest-a{n}.txt": b"" for n in range(100)}),
        reject(
            "bag_algorithm_unknown", "bag_payload_manifest_missing", "bag_tag_manifest_missing", "bag_file_unlisted"
        ),
    ),
    "no payload manifest": (
        bag({}, without=("manifest-sha256.txt",)),
        reject("bag_payload_manifest_missing"),
    ),
    "no tag manifest": (bag(without=("tagmanifest-sha256.txt",)), reject("bag_tag_manifest_missing")),
    "0.97: a file that only the MD5 manifest lists, the other one in both": (
        bag(
            {"data/hello.txt": HELLO, "data/b": b"b"},
            algorithm="md5",
            tags={"manifest-sha512.txt": SHA512_MANIFEST},
            seal="sha256",
            **OLD,
        ),
        warn("bag_weak_checksums"),
    ),
    "strong checksums in one of two manifests": (
        bag(algorithm="md5", tags={"manifest-sha512.txt": SHA512_MANIFEST}, seal="sha256"),
        ACCEPT,
    ),
    "MD5 only": (bag(algorithm="md5"), warn("bag_weak_checksums")),
    "a directory that is called tagmanifest-": (bag({"data/tagmanifest-x/manifest-y.txt": HELLO}), ACCEPT),
    # bagit.txt
    "no bagit.txt": (bag(without=("bagit.txt",)), reject("bag_declaration_missing")),
    "bagit.txt is empty": (bag(tags={"bagit.txt": b""}), reject("bag_declaration_malformed")),
    "bagit.txt has one line": (bag(tags={"bagit.txt": declared()[:19]}), reject("bag_declaration_malformed")),
    "bagit.txt has three lines": (bag(tags={"bagit.txt": declared() + b"\n"}), reject("bag_declaration_malformed")),
    "bagit.txt has its lines swapped": (
        bag(tags={"bagit.txt": b"Tag-File-Character-Encoding: UTF-8\nBagIt-Version: 1.0\n"}),
        reject("bag_declaration_malformed"),
    ),
    "bagit.txt begins with a mark": (
        bag(tags={"bagit.txt": b"\xef\xbb\xbf" + declared()}),
        reject("bag_byte_order_mark"),
    ),
    "bagit.txt is not UTF-8": (bag(tags={"bagit.txt": declared() + b"\xff"}), reject("bag_text_undecodable")),
    "bagit.txt is a megabyte": (bag(tags={"bagit.txt": b"x" * 2**20}), reject("bag_file_too_large")),
    "bagit.txt with CR": (bag(tags={"bagit.txt": declared().replace(b"\n", b"\r")}), ACCEPT),
    "1.0: white space before a colon": (
        bag(tags={"bagit.txt": declared().replace(b":", b" :")}),
        reject("bag_declaration_malformed"),
    ),
    "1.0: white space at a line's end": (
        bag(tags={"bagit.txt": declared().replace(b"1.0", b"1.0 ")}),
        reject("bag_declaration_malformed"),
    ),
    "0.97: white space around a colon": (bag(tags={"bagit.txt": declared("0.97").replace(b":", b" :\t ")}), ACCEPT),
    "a version of the future": (bag(version="2.0"), reject("bag_version_unsupported")),
    "a version that never was": (bag(version="0.98"), reject("bag_version_unsupported")),
    "a version without a dot": (bag(version="1"), reject("bag_declaration_malformed")),
    "a version in other digits": (bag(version="１.0"), reject("bag_declaration_malformed")),
    # Encodings.
    "a codec of Python's own": (
        bag(tags={"bagit.txt": declared(encoding="raw_unicode_escape")}),
        reject("bag_encoding_unsupported"),
    ),
    "rot13 as encoding": (bag(tags={"bagit.txt": declared(encoding="rot13")}), reject("bag_encoding_unsupported")),
    "an encoding in lower case": (bag(tags={"bagit.txt": declared(encoding="utf-8")}), ACCEPT),
    "a manifest that begins with a mark": (
        bag(manifest=b"\xef\xbb\xbf" + HELLO_LINE),
        reject("bag_byte_order_mark", "bag_file_unlisted"),
    ),
    "a manifest with bad UTF-8": (bag(manifest=HELLO_LINE + b"\xff\n"), reject("bag_text_undecodable")),
    "bag-info.txt with bad UTF-8": (
        bag(tags={"bag-info.txt": b"Contact-Name: Andr\xe9\n"}),
        reject("bag_text_undecodable"),
    ),
    "a line of 100,000 characters": (listing("data/" + "x" * 100_000), reject("bag_line_too_long")),
    # bag-info.txt
    "a field that is none": (bag(tags=info("no colon here\n")), reject("bag_info_malformed")),
    "a continuation of nothing": (bag(tags=info(" continued\n")), reject("bag_info_malformed")),
    "a blank line in bag-info.txt": (bag(tags=info("A: b\n\nC: d\n")), reject("bag_info_malformed")),
    "1.0: white space before a label's colon": (bag(tags=info("A : b\n")), reject("bag_info_malformed")),
    "0.97: white space before a label's colon": (bag(tags=info("A : b\n"), **OLD), ACCEPT),
    "1.0: no space after a colon": (bag(tags=info("A:b\n")), warn("bag_info_separator")),
    "an empty value": (bag(tags=info("A:\nB: \n")), ACCEPT),
    "Payload-Oxum": (bag(tags=info("Payload-Oxum: 6.1\n")), ACCEPT),
    "Payload-Oxum in lower case, and wrong": (bag(tags=info("payload-oxum: 7.1\n")), reject("bag_oxum_mismatch")),
    "Payload-Oxum with another count": (bag(tags=info("Payload-Oxum: 6.2\n")), reject("bag_oxum_mismatch")),
    "Payload-Oxum without a dot": (bag(tags=info("Payload-Oxum: 6\n")), reject("bag_oxum_malformed")),
    "Payload-Oxum in words": (bag(tags=info("Payload-Oxum: six.one\n")), reject("bag_oxum_malformed")),
    "two Payload-Oxums, the first of them right": (
        bag(tags=info("Payload-Oxum: 6.1\nPayload-Oxum: 7.2\n")),
        reject("bag_oxum_malformed"),
    ),
    "Payload-Oxum that is right and a corrupt file": (
        {**bag(tags=info("Payload-Oxum: 6.1\n")), "data/hello.txt": b"jello\n"},
        reject("bag_file_corrupt"),
    ),
    # fetch.txt
    "fetch.txt where it is not allowed": (
        fetching("https://example.org/far 6 data/far.txt\n"),
        reject("bag_fetch_not_allowed"),
    ),
}  # fmt: skip


FETCH_CASES: dict[str, tuple[Files, Outcome]] = {
    "a fetched file": (fetching("s3://bucket/far.txt 6 data/far.txt\n"), ACCEPT),
    "a fetched file of unknown length": (fetching("s3://bucket/far.txt - data/far.txt\n"), ACCEPT),
    "a file that no manifest lists": (
        fetching("s3://bucket/far.txt 6 data/far.txt\n", listed=False),
        reject("bag_fetch_unlisted"),
    ),
    "a file that is there as well": (
        fetching("s3://b/far 6 data/far.txt\ns3://b/hello 6 data/hello.txt\n"),
        reject("bag_fetch_present"),
    ),
    "a file twice": (fetching("s3://b/far 6 data/far.txt\n" * 2), reject("bag_fetch_duplicate")),
    "a length in words": (fetching("s3://b/far six data/far.txt\n"), reject("bag_fetch_line", "bag_file_absent")),
    "a negative length": (fetching("s3://b/far -6 data/far.txt\n"), reject("bag_fetch_line", "bag_file_absent")),
    "a relative URL": (fetching("far.txt 6 data/far.txt\n"), reject("bag_fetch_line", "bag_file_absent")),
    "a blank line": (fetching("\ns3://b/far 6 data/far.txt\n"), reject("bag_fetch_line")),
    "a tag file": (
        fetching("s3://b/far 6 data/far.txt\ns3://b/x 1 bag-info.txt\n"),
        reject("bag_fetch_scope"),
    ),
    "a path that leads out": (fetching("s3://b/far 6 data/far.txt\ns3://b/x 1 data/../../x\n"), UNSAFE),
    "a name with a space": (
        bag({}, manifest=entry("data/a b "), tags={"fetch.txt": b"s3://b/x 6 data/a b \n"}),
        ACCEPT,
    ),
    "Payload-Oxum that counts fetched files": (
        bag({}, manifest=entry("data/far"), tags={"fetch.txt": FAR, **info("Payload-Oxum: 6.1\n")}),
        ACCEPT,
    ),
    "Payload-Oxum with a fetched file of unknown length": (
        bag({}, manifest=entry("data/far"), tags={"fetch.txt": FAR.replace(b"6", b"-"), **info("Payload-Oxum: 6.1\n")}),
        ACCEPT,
    ),
    "Payload-Oxum that does not count fetched files": (
        bag({}, manifest=entry("data/far"), tags={"fetch.txt": FAR, **info("Payload-Oxum: 0.0\n")}),
        reject("bag_oxum_mismatch"),
    ),
}  # fmt: skip
