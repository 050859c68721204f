"""Which broker a URL means."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlsplit

from common.adapters.queues.courier import KombuCourier, Line
from common.adapters.queues.memory import MemoryCourier, broker_named
from common.errors import ConfigurationError
from common.ports import Courier

_LOSES = (
    "it takes a message before its worker has it safely, and loses it when the worker dies. "
    "Use postgresql:// (pgmq), amqp:// or amqps:// (RabbitMQ), or sqs:// (Amazon SQS)"
)
_KNOWN = "pgmq://, postgresql://, amqp://, amqps://, sqs:// or memory://"


def open_courier(url: str, *, prefix: str = "", visibility_timeout: int = 60, prefetch: int = 1) -> Courier:
    """Connect to the broker of `url`; the courier belongs to the thread that uses it first.

    | URL                                                        | broker                                            |
    | ---------------------------------------------------------- | ------------------------------------------------- |
    | `pgmq://user:pw@host:port/db`, or a `postgresql://` DSN    | pgmq in PostgreSQL, one backend per courier        |
    | `amqp://…`, `amqps://user:pw@host:port/vhost`              | RabbitMQ, one connection and channel per courier   |
    | `sqs://[key:secret@][host[:port]]/?region=…&secure=…`      | Amazon SQS, or a local server that speaks it       |
    | `memory://name`                                            | inside this process                               |

    prefix: put before every queue's name, for deployments that share a broker.
    visibility_timeout: seconds after which an unacked message comes back (RabbitMQ: when its connection ends).
    prefetch: messages per queue that RabbitMQ may send ahead.
    Raises ConfigurationError for any other URL, BrokerUnavailable where the broker does not answer.
    """
    scheme = urlsplit(url).scheme
    if scheme == "memory":
        broker = broker_named(urlsplit(url).netloc, visibility_timeout=visibility_timeout)
        return MemoryCourier(broker=broker, prefix=prefix)
    connect = partial(_connect, url, scheme=scheme, visibility_timeout=visibility_timeout, prefetch=prefetch)
    return KombuCourier(broker=shown(url), connect=connect, prefix=prefix)


def _connect(url: str, *, scheme: str, visibility_timeout: int, prefetch: int) -> Line:
    """Each broker's client is imported only where it is used: an image need not hold them all."""
    match scheme:
        case "amqp" | "amqps":
            from common.adapters.queues.rabbitmq import RabbitLine

            return RabbitLine(url=url, prefetch=prefetch)
        case "pgmq" | "postgresql" | "postgres" | "postgresql+psycopg":
            from common.adapters.queues.pgmq import PgmqLine

            return PgmqLine(dsn=as_dsn(url), visibility_timeout=visibility_timeout)
        case "sqs":
            return _sqs(url, visibility_timeout=visibility_timeout)
        case "redis" | "rediss" | "sentinel" | "sqla" | "sqlalchemy" | "filesystem" | "sqlite" | "db":
            raise ConfigurationError(f"broker {shown(url)!r} is refused: {_LOSES}")
    raise ConfigurationError(f"broker {shown(url)!r} is refused: the URL must begin with {_KNOWN}")


def _sqs(url: str, *, visibility_timeout: int) -> Line:
    try:
        from common.adapters.queues.sqs import SqsLine
    except ImportError as error:
        raise ConfigurationError(
            f"broker {shown(url)!r} needs boto3: install backfill-common[sqs] ({error})"
        ) from error
    return SqsLine(url=url, visibility_timeout=visibility_timeout)


def as_dsn(url: str) -> str:
    """The URL of a pgmq broker as PostgreSQL's clients want it."""
    return "postgresql" + url[url.index("://") :]


def shown(url: str) -> str:
    """The URL without user, password and options: for logs and errors."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
