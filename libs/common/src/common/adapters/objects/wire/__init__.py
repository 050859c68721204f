"""HTTP/1.1 to one store, over sockets of our own, from and into memory of ours: as little as stores need, strictly."""

from common.adapters.objects.wire.heads import can_send, quoted
from common.adapters.objects.wire.wire import MOST_SAID, Blocks, Refusal, Told, Wire

__all__ = ["MOST_SAID", "Blocks", "Refusal", "Told", "Wire", "can_send", "quoted"]
