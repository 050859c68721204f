"""An S3 server whose cold storage behaves: moto, with the archive rules of S3 and a clock that can be driven.

Archived objects refuse to be read or copied until RestoreObject has been asked for, and the tier's hours have
passed on the simulated clock; the readable copy expires at midnight; events go to SQS without anybody polling.
SQS and SNS answer at the same endpoint. All is in memory.

    python -m local_stack.cold_s3 --port 5900 --ratio 3600

Under /_cold/ it is driven, in JSON (`local_stack.servers.cold_s3.ColdControl` is the client):

    GET  /_cold/clock                 {"now": "2026-11-21T10:00:00+00:00", "ratio": 3600.0}
    POST /_cold/clock                 {"ratio": 0} freezes, {"advance_seconds": 18000} jumps; answers as GET does
    POST /_cold/archive-tier          {"bucket": …, "key": …, "tier": "ARCHIVE_ACCESS" | "DEEP_ARCHIVE_ACCESS" | null,
                                       "version_id": null}: where an INTELLIGENT_TIERING object lies
    POST /_cold/faults                {"slow_down": 3, "no_expedited_capacity": true}
    GET  /_cold/requests?bucket=name  {"a.txt": {"restore": 2, "get": 1}}
"""
