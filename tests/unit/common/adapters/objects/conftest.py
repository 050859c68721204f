"""A certificate for stores that are reached by TLS."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_stack.servers.certificates import make_certificate


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, with its key, signed by itself."""
    return make_certificate(tmp_path_factory.mktemp("tls") / "store.pem")
