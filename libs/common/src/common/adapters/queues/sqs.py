"""Amazon SQS, or a local server that speaks it. HTTPS requests only: no connection is held between them.

It can wait on one queue at a time, so an idle worker asks each of its queues about once a second: that is billed.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from queue import Empty
from time import monotonic, sleep
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from kombu.transport import SQS as kombu_sqs

from common.adapters.queues import envelope
from common.adapters.queues.courier import CONTENT_TYPE, Message
from common.adapters.queues.names import DEAD_SUFFIX, MAX_DELIVERIES
from common.adapters.queues.transport import open_transport
from common.errors import ConfigurationError

_BACK_AFTER = 1
_FORTNIGHT = str(14 * 24 * 3600)
"""Seconds; the longest that SQS keeps a message."""
_LONGEST_POLL = 20
"""Seconds; SQS allows no more."""
_SHORTEST_POLL = 0.5
"""Seconds; SQS waits whole ones, so less than this is slept and more is rounded up."""


@dataclass(frozen=True, slots=True)
class Address:
    """`sqs://[key:secret@][host[:port]]/?region=eu-west-1&secure=false`"""

    key: str | None
    secret: str | None
    endpoint: str | None
    """None: Amazon's own, in the region."""
    region: str | None
    """None: as the AWS environment has it."""

    @classmethod
    def of(cls, url: str) -> Address:
        """A server with a port speaks plain HTTP unless the URL says `secure=true`; Amazon always HTTPS."""
        parts = urlsplit(url)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        secure = query.get("secure", "false" if parts.port else "true") == "true"
        host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
        return cls(
            key=unquote(parts.username) if parts.username else None,
            secret=unquote(parts.password) if parts.password else None,
            endpoint=f"{'https' if secure else 'http'}://{host}" if host else None,
            region=query.get("region"),
        )


class _Channel(kombu_sqs.Channel):
    """kombu's channel, that makes no queue by itself, lists none, and reads what it did not write."""

    do_restore = False  # the visibility timeout brings messages back

    @property
    def endpoint_url(self) -> str | None:
        endpoint: str | None = self.transport_options["endpoint"]
        return endpoint

    def _update_queue_cache(self, queue_name_prefix: str) -> None:
        """kombu lists all queues of the account, which needs a permission that a worker should not have."""

    def _new_queue(self, queue: str, **_: Any) -> str:
        """kombu creates a queue nobody declared, without a dead-letter queue."""
        if queue not in self._queue_cache:
            self._queue_cache[queue] = self._client().get_queue_url(QueueName=queue)["QueueUrl"]
        url: str = self._queue_cache[queue]
        return url

    def _client(self) -> Any:
        return self.sqs()  # type: ignore[no-untyped-call]

    def _get(self, queue: str, timeout: Any = None) -> dict[str, Any]:  # noqa: ARG002
        url = self._new_queue(queue)
        answer = self._client().receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=1,
            WaitTimeSeconds=self.wait_time_seconds,
            VisibilityTimeout=self.visibility_timeout,
        )
        if not answer.get("Messages"):
            raise Empty
        return _payload(answer["Messages"][0], url)


class _Transport(kombu_sqs.Transport):
    Channel = _Channel


class SqsLine:
    """A message lost from sight is visible again after `visibility_timeout` seconds.

    Nothing is asked before the first call: no one action is allowed to all identities.
    """

    def __init__(self, *, url: str, visibility_timeout: int = 60) -> None:
        address = Address.of(url)
        self._visibility_timeout = visibility_timeout
        self._transport = open_transport(
            userid=address.key,
            password=address.secret,
            transport=_Transport,
            transport_options=_options(address, visibility_timeout),
        )
        self._channel = self._transport.create_channel(self._transport)
        self._sqs = self._channel.sqs()

    def declare(self, names: Sequence[str]) -> None:
        for name in names:
            url = self._find(name) or self._create(name, self._visibility_timeout)
            if "RedrivePolicy" not in self._attributes(url, "RedrivePolicy"):
                self._keep_dead_letters(name, url)

    def _find(self, name: str) -> str | None:
        try:
            url: str = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
        except self._sqs.exceptions.QueueDoesNotExist:
            return None
        return url

    def _create(self, name: str, visibility_timeout: int) -> str:
        attributes = {"VisibilityTimeout": str(visibility_timeout), "MessageRetentionPeriod": _FORTNIGHT}
        try:
            url: str = self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        except self._sqs.exceptions.ClientError as error:
            raise _denied(error, f"SQS has no queue {name!r}, and these credentials may not create it") from error
        return url

    def _keep_dead_letters(self, name: str, url: str) -> None:
        """Without a redrive policy SQS would deliver a message that kills its worker for a fortnight."""
        dead = self._find(name + DEAD_SUFFIX) or self._create(name + DEAD_SUFFIX, self._visibility_timeout)
        arn = self._attributes(dead, "QueueArn")["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": MAX_DELIVERIES})
        try:
            self._sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
        except self._sqs.exceptions.ClientError as error:
            raise _denied(
                error, f"SQS queue {name!r} has no redrive policy, and these credentials may not set it"
            ) from error

    def _attributes(self, url: str, name: str) -> dict[str, str]:
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        attributes: dict[str, str] = answer.get("Attributes", {})
        return attributes

    def publish(self, *, name: str, body: bytes, message_id: str) -> None:
        message = self._channel.prepare_message(
            body, content_type=CONTENT_TYPE, content_encoding="utf-8", properties={"message_id": message_id}
        )
        self._channel.basic_publish(message, exchange="", routing_key=name)

    def take(self, names: Sequence[str], *, wait: float) -> tuple[str, Message] | None:
        """Every queue is asked in order; then one request waits on the first, at most a second if there are more.

        SQS waits whole seconds and on one queue only, so messages of the others are found within a second.
        """
        deadline = monotonic() + wait
        longest = _LONGEST_POLL if len(names) == 1 else 1
        while (found := self._read(names)) is None and (left := deadline - monotonic()) > 0:
            if not names or left < _SHORTEST_POLL:
                sleep(left)
            elif (found := self._read(names[:1], poll=min(ceil(left), longest))) is not None:
                return found
        return found

    def _read(self, names: Sequence[str], *, poll: int = 0) -> tuple[str, Message] | None:
        self._channel.wait_time_seconds = poll
        for name in names:
            if (message := self._channel.basic_get(name)) is not None:
                return name, message
        return None

    def give_back(self, *, name: str, message: Any) -> None:  # noqa: ARG002
        self._sqs.change_message_visibility(
            QueueUrl=message.delivery_info["sqs_queue"],
            ReceiptHandle=message.delivery_info["sqs_message"]["ReceiptHandle"],
            VisibilityTimeout=_BACK_AFTER,
        )
        self._channel.qos.ack(message.delivery_tag)

    def ready(self, name: str) -> int:
        url = self._channel._new_queue(name)
        return int(self._attributes(url, "ApproximateNumberOfMessages")["ApproximateNumberOfMessages"])

    def close(self, *, broken: bool) -> None:  # noqa: ARG002
        self._sqs.close()


def _payload(message: dict[str, Any], queue_url: str) -> dict[str, Any]:
    payload = envelope.opened(_decoded(message["Body"]))
    payload["properties"]["delivery_info"] = {"sqs_message": message, "sqs_queue": queue_url}
    return payload


def _decoded(text: str) -> object:
    """kombu's envelope is JSON in base64; anything else is passed on as the bytes it is."""
    try:
        payload: object = json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return text.encode(errors="surrogatepass")
    return payload if isinstance(payload, dict) else text.encode()


def _options(address: Address, visibility_timeout: int) -> dict[str, Any]:
    return {
        "visibility_timeout": visibility_timeout,
        "endpoint": address.endpoint,
        "region": address.region,
        "is_secure": address.endpoint is None or address.endpoint.startswith("https"),
        "client-config": {"connect_timeout": 5, "read_timeout": 30, "retries": {"total_max_attempts": 2}},
    }


def _denied(error: Exception, what: str) -> Exception:
    """ConfigurationError where a permission is missing; else the error itself."""
    code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
    return ConfigurationError(f"{what}: {error}") if "AccessDenied" in code else error
