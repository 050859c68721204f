"""HTTP/1.1 to one store, over sockets of our own, from and into memory of ours: as little as stores need, strictly."""

from common.adapters.objects.wire.asking import Asking, PastEnd
from common.adapters.objects.wire.body import Incoming
from common.adapters.objects.wire.heads import can_send, quoted
from common.adapters.objects.wire.refusal import Refusal
from common.adapters.objects.wire.several import Answered
from common.adapters.objects.wire.wholeness import whole
from common.adapters.objects.wire.wire import MOST_SAID, Blocks, Request, Told, Wire

__all__ = [
    "MOST_SAID",
    "Answered",
    "Asking",
    "Blocks",
    "Incoming",
    "PastEnd",
    "Refusal",
    "Request",
    "Told",
    "Wire",
    "can_send",
    "quoted",
    "whole",
]
