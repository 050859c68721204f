"""Standard Webhooks: the headers by which a receiver knows that a callback is ours and not somebody's copy."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from standardwebhooks import Webhook

from common.errors import ConfigurationError

_PREFIX = "whsec_"
_SIZES = range(24, 65)
"""Bytes, as Standard Webhooks prescribes."""


def read_secrets(text: str) -> tuple[str, ...]:
    """The secrets of the setting, with commas or spaces between. Raises ConfigurationError; never shows a secret."""
    secrets = tuple(text.replace(",", " ").split())
    for number, secret in enumerate(secrets, start=1):
        if not _good(secret):
            raise ConfigurationError(
                f"BACKFILL_CALLBACK_SECRETS: secret {number} is not {_PREFIX} followed by 24 to 64 bytes in base64. "
                "Make one: echo whsec_$(head -c 32 /dev/urandom | base64)"
            )
    return secrets


def _good(secret: str) -> bool:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX) + "==", validate=False)
    except (binascii.Error, ValueError):
        return False
    return secret.startswith(_PREFIX) and len(key) in _SIZES


def signed_headers(*, message_id: UUID, at: datetime, body: str, secrets: Sequence[str]) -> dict[str, str]:
    """One signature for each secret, so that receivers can change theirs at their own time; none without secrets."""
    headers = {"webhook-id": str(message_id), "webhook-timestamp": str(int(at.timestamp()))}
    signatures = [Webhook(secret).sign(str(message_id), at, body) for secret in secrets]
    return headers | ({"webhook-signature": " ".join(signatures)} if signatures else {})
