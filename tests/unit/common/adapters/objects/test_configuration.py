"""Reading the locations file."""

from __future__ import annotations

from datetime import time, timedelta
from math import inf
from pathlib import Path

import pytest

from common.adapters.objects.cold_configuration import ThawConfig
from common.adapters.objects.configuration import LocationConfig, read_locations
from common.domain.location import Location, LocationId, Provider
from common.errors import ConfigurationError
from common.ports import Tier


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "locations.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_file_of_brackets_is_refused_and_not_recursed_into(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read as TOML"):
        read_locations(written(tmp_path, "a = " + "[" * 100_000))


def test_locations_are_read_with_secrets_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_KEY", "c2VjcmV0")
    (tmp_path / "token").write_text("from a file\n", "utf-8")
    path = written(
        tmp_path,
        f"""
        [locations.primary]
        provider = "amazon-s3"
        bucket = "source"
        access_key_id = "id"
        secret_access_key = {{ file = "{tmp_path}/token" }}

        [locations.azure]
        provider = "azure-blob-storage"
        bucket = "replicas"
        prefix = "bags/"
        title = "Azure, Dublin"
        account_name = "archive"
        account_key = {{ env = "AZURE_KEY" }}
        """,
    )

    found = read_locations(path)

    azure, primary = found[LocationId("azure")], found[LocationId("primary")]
    assert azure.location == Location(LocationId("azure"), Provider.AZURE_BLOB, "replicas", "bags/", "Azure, Dublin")
    assert azure.account_key is not None
    assert azure.account_key.get_secret_value() == "c2VjcmV0"
    assert primary.secret_access_key is not None
    assert primary.secret_access_key.get_secret_value() == "from a file"
    assert "c2VjcmV0" not in repr(azure)


def test_every_problem_is_reported_at_once_without_secrets(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        [locations.one]
        provider = "gcs"
        bucket = "b"
        account_key = 5

        [locations.two]
        provider = "amazon-s3"
        prefix = "no-slash"
        buckett = "b"
        region = { env = "BACKFILL_TEST_UNSET" }

        [locations.three]
        provider = "azure-blob-storage"
        bucket = "b"
        account_name = "a"
        access_tier = "Archive"

        [locations.five]
        provider = "azure-blob-storage"
        bucket = "b"
        account_key = "topsecret"
        sas_token = "alsosecret"
        region = "eu-west-1"

        [locations.glacier]
        provider = "amazon-s3"
        bucket = "b"
        storage_class = "DEEP_ARCHIVE"

        [locations.lukewarm]
        provider = "azure-blob-storage"
        bucket = "b"
        account_name = "a"
        access_tier = "Tepid"

        [locations.four]
        provider = "local"
        bucket = { file = "/there/is/no/such/file" }
        concurrency = 0
        endpoint = "ftp://x"
        max_concurrency = 0
        bandwidth = [{ from = "08:00", rate = "8 MB/s" }, { rate = "8 Mbit/s" }]
        timezone = "Europe/Londn"

        [locations."fi ve"]
        provider = "local"
        bucket = "b"
        """,
    )

    with pytest.raises(ConfigurationError) as raised:
        read_locations(path)

    said = str(raised.value)
    for sentence in (
        "[locations.one] provider = 'gcs':",
        "[locations.one] account_key = a secret:",
        "[locations.two] bucket is missing; add it",
        "[locations.two] prefix = 'no-slash': must be empty or end with /; write \"no-slash/\"",
        "[locations.two] buckett: no such setting; remove it or fix its spelling",
        "[locations.two] region: environment variable BACKFILL_TEST_UNSET is not set; set it",
        "[locations.three] access_tier = 'Archive': a copy there cannot be read back",
        "[locations.five] region means nothing to provider azure-blob-storage; remove it",
        "[locations.five] account_name is missing; add the storage account's name",
        "[locations.five] account_key and sas_token exclude each other; remove one",
        "[locations.glacier] storage_class = 'DEEP_ARCHIVE': a copy there cannot be read back, and is registered only "
        "after it was; write STANDARD_IA or GLACIER_IR, and let a lifecycle rule of the bucket move copies to "
        "DEEP_ARCHIVE after some days",
        "[locations.lukewarm] access_tier = 'Tepid': must be one of Hot, Cool, Cold, Smart",
        "[locations.four] bucket: file /there/is/no/such/file cannot be read",
        "[locations.four] concurrency = 0:",
        '[locations.four] endpoint = \'ftp://x\': must begin with "http://" or "https://"',
        "[locations.four] max_concurrency = 0: ",
        "[locations.four] bandwidth: entry 1: from and to go together; give both, or neither for the rest of the day; "
        "entry 2: '8 Mbit/s' is no rate; write a rate such as",
        "[locations.four] timezone = 'Europe/Londn': is no time zone; write one of the tz database",
        "[locations.fi ve] id = 'fi ve':",
    ):
        assert sentence in said
    assert "topsecret" not in said
    assert "alsosecret" not in said


@pytest.mark.parametrize(
    "text",
    [
        '[locations]\nsas_token = ["topsecret"]',
        '[locations]\naccount_key = "topsecret"',
        '[locations.a]\nprovider = "local"\nbucket = "b"\nprefix = ["topsecret"]',
        '[locations.a]\nprovider = "local"\nbucket = "b"\nid.account_key = "topsecret"',
        '[locations.a]\nprovider = "local"\nbucket = "b"\nprefix.account_key = "topsecret"',
        '[locations.a]\nprovider = "amazon-s3"\nbucket = "b"\nendpoint = "https://me:topsecret@host"',
        '[locations.a]\nprovider = "azure-blob-storage"\nbucket = "b"\nendpoint = "https://host/?sig=topsecret"',
    ],
)
def test_a_secret_in_a_wrong_place_is_not_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"has [123] problem") as raised:
        read_locations(written(tmp_path, text))

    assert "topsecret" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "[other]", "locations = 3", "not toml"])
def test_a_file_without_locations_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"locations\.toml"):
        read_locations(written(tmp_path, text))


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml"):
        read_locations(tmp_path / "nowhere.toml")


def test_credentials_do_not_belong_into_the_endpoint() -> None:
    with pytest.raises(ValueError, match="must not carry credentials"):
        LocationConfig(id="x", provider=Provider.AMAZON_S3, bucket="b", endpoint="http://u:p@h")


def test_hours_are_those_of_the_location(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        [locations.x]
        provider = "local"
        bucket = "b"
        timezone = "Asia/Tokyo"
        bandwidth = [{ from = "08:00", to = 18:00:00, rate = "8 MB/s" }, { rate = "unlimited" }]
        """,
    )

    config = read_locations(path)[LocationId("x")]

    assert config.local_time().utcoffset() == timedelta(hours=9)
    assert config.bandwidth is not None
    assert (config.bandwidth.at(time(9)), config.bandwidth.at(time(18))) == (8_000_000, inf)


THAW = """
[locations.cold]
provider = "amazon-s3"
bucket = "archive"
region = "eu-west-1"
archive_class = "DEEP_ARCHIVE"

[locations.cold.thaw]
"""


def test_how_a_location_thaws_is_a_table_of_its_own(tmp_path: Path) -> None:
    text = (
        THAW + 'tiers = { GLACIER = "Standard" }\nwithout_capacity = "wait"\naccount = "123456789012"\n'
        "requests_per_second = 50\n"
    )

    cold = read_locations(written(tmp_path, text))[LocationId("cold")]

    assert cold.thawing == ThawConfig(
        tiers={"GLACIER": Tier.STANDARD}, without_capacity="wait", account="123456789012", requests_per_second=50
    )
    assert cold.thawing.other_tier is None
    assert cold.thaw_account == "aws/eu-west-1/123456789012"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            'tiers = { DEEP_ARCHIVE = "Expedited" }',
            'thaw.tiers: DEEP_ARCHIVE has no Expedited; write "Standard" or "Bulk"',
        ),
        ("requests_per_second = 1001", "thaw.requests_per_second = 1001: Input should be less than or equal to 1000"),
        ("rate = 5", "thaw.rate: no such setting; remove it or fix its spelling"),
    ],
)
def test_a_thaw_that_s3_does_not_offer_is_refused_by_the_file(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_locations(written(tmp_path, THAW + line))

    assert said in str(refused.value)
