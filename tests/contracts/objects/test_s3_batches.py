"""S3 Batch Operations against the shapes of its documentation. Nothing here was ever run against Amazon."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest

from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.registry import open_batches
from common.adapters.objects.s3.batch import failed_tasks, manifest
from common.domain.location import Provider
from common.errors import AccessDenied, NotFound, StoreUnavailable
from common.ports import BatchOrder, BatchRestores, BatchStatus, Restore, Tier
from contracts.objects.s3_control_server import ACCOUNT, KEY, REGION, SECRET, S3Control, s3_control

ODD = 'a b+c%20é,"x".mxf'
ROLE = f"arn:aws:iam::{ACCOUNT}:role/restores"
SCHEMA = "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage"


@pytest.fixture
def control() -> Iterator[S3Control]:
    with s3_control() as server:
        yield server


def batches(control: S3Control, *, secret: str = SECRET) -> BatchRestores:
    config = LocationConfig.model_validate(
        {
            "id": "cold",
            "provider": Provider.AMAZON_S3,
            "bucket": "archive",
            "endpoint": control.endpoint,
            "access_key_id": KEY,
            "secret_access_key": secret,
            "region": REGION,
            "thaw": {"account": ACCOUNT, "batch": {"role_arn": ROLE, "bucket": "room"}},
        }
    )
    found = open_batches(config)
    assert found is not None
    return found


ORDER = BatchOrder("t-1", [(ODD, None), ("plain", None)], Tier.BULK, 3, "project 12")


def test_pitfall_03_a_job_has_an_encoded_manifest_pinned_by_its_etag(control: S3Control) -> None:
    job_id = batches(control).submit(ORDER)

    body = control.objects["room/backfill-batches/t-1/manifest.csv"]
    assert body.decode() == "archive,a%20b%2Bc%2520%C3%A9%2C%22x%22.mxf\narchive,plain\n"
    [job] = control.jobs.values()
    assert (job.id, control.refused) == (job_id, [])
    assert job.request == {
        "ConfirmationRequired": "false",
        "Operation": {"S3InitiateRestoreObject": {"ExpirationInDays": "3", "GlacierJobTier": "BULK"}},
        "Report": {
            "Bucket": "arn:aws:s3:::room",
            "Format": "Report_CSV_20180820",
            "Enabled": "true",
            "Prefix": "backfill-batches/t-1",
            "ReportScope": "FailedTasksOnly",
        },
        "ClientRequestToken": "t-1",
        "Manifest": {
            "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]},
            "Location": {
                "ObjectArn": "arn:aws:s3:::room/backfill-batches/t-1/manifest.csv",
                "ETag": hashlib.md5(body, usedforsecurity=False).hexdigest(),
            },
        },
        "Description": "Restores for Backfill",
        "Priority": "10",
        "RoleArn": ROLE,
        "Tags": [{"Key": "client_tag", "Value": "project 12"}],
    }


def test_pitfall_22_an_order_that_is_sent_twice_makes_one_job_with_the_first_manifest(control: S3Control) -> None:
    first = batches(control).submit(ORDER)
    written = dict(control.objects)

    again = batches(control).submit(ORDER)

    assert again == first
    assert (len(control.jobs), control.objects) == (1, written)


def test_pitfall_10_objects_that_are_moved_are_ordered_without_days(control: S3Control) -> None:
    batches(control).submit(BatchOrder("t-2", [("k", "v7")], Tier.STANDARD, None))

    [job] = control.jobs.values()
    assert job.request["Operation"] == {"S3InitiateRestoreObject": {"GlacierJobTier": "STANDARD"}}
    assert job.request["Manifest"]["Spec"]["Fields"] == ["Bucket", "Key", "VersionId"]
    assert control.objects["room/backfill-batches/t-2/manifest.csv"] == b"archive,k,v7\n"


def test_a_job_is_looked_at_until_it_has_ended(control: S3Control) -> None:
    store = batches(control)
    job_id = store.submit(ORDER)
    [job] = control.jobs.values()
    seen = [store.look(job_id)]
    job.status, job.total, job.failed = "Complete", 2, 1
    seen.append(store.look(job_id))
    job.status = "Failed"
    job.reasons = (
        "<member><FailureCode>TasksFailureThresholdExceeded</FailureCode><FailureReason>52%</FailureReason></member>"
    )
    seen.append(store.look(job_id))

    assert seen == [
        BatchStatus("Active", ended=False, complete=False),
        BatchStatus("Complete", ended=True, complete=True, tried=2, failed=1),
        BatchStatus("Failed", True, False, 2, 1, "TasksFailureThresholdExceeded: 52%"),
    ]


def test_pitfall_14_failed_tasks_of_the_report_are_told_object_by_object(control: S3Control) -> None:
    store = batches(control)
    job_id = store.submit(ORDER)
    room = f"backfill-batches/t-1/job-{job_id}"
    result = f"{room}/results/1.csv"
    told = {
        "Format": "Report_CSV_20180820",
        "ReportCreationDate": "2026-01-05T10:00:00.000Z",
        "Results": [{"TaskExecutionStatus": "failed", "Bucket": "room", "MD5Checksum": "m", "Key": result}],
        "ReportSchema": SCHEMA,
    }
    control.objects[f"room/{room}/manifest.json"] = json.dumps(told).encode()
    control.objects[f"room/{result}"] = (
        b'archive,a%20b%2Bc%2520%C3%A9%2C%22x%22.mxf,,failed,NoSuchKey,404,"The specified key does not exist."\n'
    )

    [(key, answer)] = store.failures(job_id, "t-1")

    assert key == ODD
    assert isinstance(answer, NotFound)


def test_a_job_that_failed_before_its_first_task_has_no_report(control: S3Control) -> None:
    store = batches(control)

    assert list(store.failures(store.submit(ORDER), "t-1")) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("archive,k,,failed,RestoreAlreadyInProgress,409,", Restore.IN_PROGRESS),
        ("archive,k,,failed,InvalidObjectState,403,", Restore.NOT_ARCHIVED),
        ("archive,k,,failed,AccessDenied,403,no", AccessDenied),
        ("archive,k,,failed,InternalError,500,", StoreUnavailable),
    ],
)
def test_a_failed_task_is_told_by_its_code(line: str, expected: Restore | type[Exception]) -> None:
    [(key, answer)] = failed_tasks(line, [name.strip() for name in SCHEMA.split(",")])

    assert key == "k"
    assert answer is expected or type(answer) is expected


def test_a_wrong_secret_is_denied(control: S3Control) -> None:
    with pytest.raises(AccessDenied):
        batches(control, secret="another").submit(ORDER)


def test_keys_of_a_manifest_need_no_quotes() -> None:
    assert manifest("b", [("a\nb,c\"d' \\", None)]) == "b,a%0Ab%2Cc%22d%27%20%5C\n"
