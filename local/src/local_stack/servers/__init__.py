"""Servers that live and die with the process that starts them: one file per server, each a context manager.

    with Postgres() as postgres, ColdS3() as s3: ...

`start()` returns when the server answers, or raises with the end of its log. `stop()` twice is fine.
Every server is a direct child that the kernel ends when its owner dies, however the owner dies (Linux).
"""
