"""Keeps the chain of evidence: seals what was written, and takes checkpoints to a second place."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from sqlalchemy import Engine

from common.errors import AlreadyExists, BackfillError, ConfigurationError
from common.ledger.engine import transaction
from common.ledger.evidence import checkpoints, sealing
from common.ledger.evidence.checkpoints import Checkpoint, Sign
from common.ports import ObjectStore

log = structlog.get_logger()

FOLDER = "evidence-checkpoints/"
_CONTENT_TYPE = "application/json"


class Sealer:
    """Safe to run in any number of processes: the ledger lets one of them at the chain."""

    def __init__(
        self,
        *,
        engine: Engine,
        store: ObjectStore,
        prefix: str = "",
        sign: Sign | None = None,
        every: timedelta = timedelta(hours=1),
    ) -> None:
        self._engine = engine
        self._store = store
        self._folder = prefix + FOLDER
        self._sign = sign
        self._every = every

    def chore(self) -> None:
        """Seal everything; a checkpoint where the last one is older than it may be."""
        self.seal()
        with transaction(self._engine) as connection:
            due = checkpoints.due(connection, every=self._every)
        if due:
            self.checkpoint()
        self.write()

    def seal(self) -> int:
        """Seal all there is; how many rows that were."""
        number, places = 0, dict[str, int]()
        while True:
            with transaction(self._engine) as connection:
                found = sealing.seal(connection, places=places)
            if not found:
                return number
            number += found

    def checkpoint(self) -> Checkpoint | None:
        """Seal, and say where the chain stands now; None where the last checkpoint says it already."""
        self.seal()
        with transaction(self._engine) as connection:
            made = checkpoints.make(connection, sign=self._sign)
        self.write()
        return made

    def write(self) -> None:
        """Take to the second place what is not there yet. A place that cannot be reached is asked the next time."""
        with transaction(self._engine) as connection:
            waiting = checkpoints.unwritten(connection)
        for one in waiting:
            try:
                self._create(one)
            except BackfillError as error:
                log.error("checkpoint not written", alert="evidence_checkpoint", seq=one.seq, error=str(error))
                return
            with transaction(self._engine) as connection:
                checkpoints.written(connection, one.seq)

    def _create(self, one: Checkpoint) -> None:
        """Raises AlreadyExists where another checkpoint has its name: the chain was changed since that one."""
        key, data = self._folder + one.name, one.document.encode()
        try:
            self._store.create(key=key, data=data, content_type=_CONTENT_TYPE)
        except AlreadyExists:
            with self._store.read(key=key) as body:
                if b"".join(body) != data:
                    raise


def signing(key: Path | None) -> Sign | None:
    """What signs checkpoints; None without a key. Raises ConfigurationError."""
    if key is None:
        return None
    try:
        private = load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"BACKFILL_EVIDENCE_KEY: {key} cannot be read as a private key: {error}") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise ConfigurationError(
            f"BACKFILL_EVIDENCE_KEY: {key} is no Ed25519 key. Make one: openssl genpkey -algorithm ed25519 -out {key}"
        )
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    return lambda data: (public, private.sign(data).hex())
