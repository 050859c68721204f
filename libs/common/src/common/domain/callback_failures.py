"""Why a callback was not delivered: every code of its attempts is a heading of docs/reference/errors.md."""

from __future__ import annotations

from collections.abc import Mapping

from common.domain.failures import Failure

CALLBACK_FAILURES: Mapping[str, Failure] = {
    "callback_address_refused": Failure(
        "The address is one that nothing is sent to: its scheme, its port, or what it carries. It is not tried again.",
        "Ask with an https address on port 443 or 8443, or have the operator name the host in BACKFILL_CALLBACK_HOSTS; "
        "then replay the callback, or read GET /ingests/{id}.",
    ),
    "callback_address_not_public": Failure(
        "The host's name leads into a network that callbacks never go to. It is not tried again.",
        "Correct the name server's entry; or have the operator name the host in BACKFILL_CALLBACK_HOSTS, if it is "
        "meant. Where clouds tell machines their credentials is never called.",
    ),
    "callback_host_unknown": Failure(
        "The host's name cannot be resolved.",
        "Look it up on the machine of ingests_api: it is mistyped in the address, or the name server lacks it.",
    ),
    "callback_not_trusted": Failure(
        "The receiver's TLS certificate cannot be verified.",
        "Give the receiver a certificate with its whole chain; or name the authority of your own in "
        "BACKFILL_CALLBACK_CA_FILE.",
    ),
    "callback_timeout": Failure(
        "The receiver did not answer in time: 15 seconds for everything.",
        "Answer first and work then. Look whether a firewall swallows the connection.",
    ),
    "callback_connection_failed": Failure(
        "The connection was refused or broke, or what came back was no HTTP.",
        "Look whether the receiver runs and listens at this address and port; its own log says more.",
    ),
    "callback_redirected": Failure(
        "The receiver answered with a redirect, and these are not followed.",
        "Ask with the address that it leads to.",
    ),
    "callback_rejected": Failure(
        "The receiver answered with a status that is none of success (2xx). After 410 it is not tried again.",
        "The attempt shows the status and the beginning of the answer. 401 or 403 often mean that the receiver checks "
        "the signature with another secret.",
    ),
    "callback_abandoned": Failure(
        "Whoever was sending it died each time, as often as it may be tried.",
        "Read the log of ingests_api around the times of the attempts, then replay the callback.",
    ),
}
