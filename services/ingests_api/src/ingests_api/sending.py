"""One POST to an address that somebody else chose: nothing it resolves to, redirects to, or answers can do harm.

AntiSSRF looks the name up, refuses it if any of its addresses is not public, and connects to the very address that was
checked. Added here: an end by the clock, a limit of bytes, no redirects, no decompression, no proxy, no credentials.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

import requests
from AntiSSRF import AntiSSRFError, AntiSSRFPolicy, PolicyConfigOptions
from requests.adapters import HTTPAdapter

from ingests_api.callback_addresses import Allowed
from ingests_api.lifeline import Lifeline, Pool, TlsPool, lifeline

DEADLINE = 15.0
"""Seconds for looking up, connecting, sending and reading together."""
MOST_READ = 64 * 1024
"""Bytes of an answer's body that are read; the rest is not waited for."""
MOST_KEPT = 1000
"""Characters of it that are kept."""

_NEVER = ["169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "168.63.129.16/32", "0.0.0.0/8", "::/128"]
"""Where clouds tell machines their credentials: not even for hosts that the operator vouches for."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a POST."""

    status: int | None
    error: str | None = None
    body: str = ""
    hopeless: bool = False
    """The address may not be called, now or later."""
    code: str | None = None
    """Of the error, as :mod:`common.domain.callback_failures` has it."""


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    allowed: Allowed,
    deadline: float = DEADLINE,
    ca_file: str | None = None,
) -> Reply:
    """POST `body` once. Never raises: whatever goes wrong is the reply's `error`."""
    if fault := allowed.fault(url):
        return Reply(None, f"the address is refused: {fault}", hopeless=True, code="callback_address_refused")
    try:
        with _session(_policy(vouched=allowed.vouched(url))) as session, lifeline(deadline) as line:
            return _exchange(session, line, url, body=body, headers=headers, ca_file=ca_file)
    except AntiSSRFError:
        told = "the host's address is not public, or one that is never called"
        return Reply(None, told, hopeless=True, code="callback_address_not_public")
    except (requests.RequestException, OSError, ValueError) as error:
        return _failed(error)


def _exchange(
    session: requests.Session,
    line: Lifeline,
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    ca_file: str | None,
) -> Reply:
    try:
        answer = _asked(session, url, body=body, headers=headers, timeout=line.seconds, ca_file=ca_file)
    except (requests.RequestException, OSError) as error:
        # Whichever notices first: both waited for the same number of seconds.
        if line.over or isinstance(error, requests.Timeout):
            return _late(line)
        raise
    try:
        if line.over:  # http.client takes headers that were cut off for headers that ended
            return _late(line)
        status = answer.status_code
        if 200 <= status < 300:
            return Reply(status, None, _beginning(answer))
        return _refused(status, answer.reason or "", _beginning(answer))
    finally:
        answer.close()


def _late(line: Lifeline) -> Reply:
    return Reply(None, f"no answer within {line.seconds:g} s", code="callback_timeout")


def _asked(
    session: requests.Session,
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    timeout: float,
    ca_file: str | None,
) -> requests.Response:
    return session.post(
        url,
        data=body,
        headers={"Accept-Encoding": "identity", "Connection": "close"} | dict(headers),
        timeout=timeout,
        allow_redirects=False,
        stream=True,
        verify=ca_file or True,
    )


def _refused(status: int, reason: str, body: str) -> Reply:
    told = f"got {status} {_text(reason.encode('latin-1', 'replace'))}".strip()
    if 300 <= status < 400:
        return Reply(status, f"{told}; redirects are not followed", body, code="callback_redirected")
    return Reply(status, told, body, code="callback_rejected")


def _beginning(answer: requests.Response) -> str:
    """As much of the body as comes in time; the status is what counts, so a body that breaks off is no error."""
    found = bytearray()
    try:
        while len(found) < MOST_READ:
            block = answer.raw.read1(min(4096, MOST_READ - len(found)), decode_content=False)
            if not block:
                break
            found += block
    except Exception:  # noqa: S110 - urllib3 has a dozen ways to say that no more came
        pass
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        return f"({len(found)} bytes, compressed)"
    return _text(bytes(found))[:MOST_KEPT]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace").replace("\x00", "\ufffd")


def _failed(error: Exception) -> Reply:
    """In a few words, and without the address's path and query, which the libraries like to repeat."""
    cause: BaseException = error
    while cause.__context__ is not None:
        cause = cause.__context__
    match cause:
        case socket.gaierror():
            return Reply(None, "the host's name cannot be resolved", code="callback_host_unknown")
        case _ if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return Reply(None, "its TLS certificate cannot be verified", code="callback_not_trusted")
        case _ if "timed out" in str(error):
            return Reply(None, "no answer in time", code="callback_timeout")
    return Reply(None, f"the connection failed ({type(cause).__name__})", code="callback_connection_failed")


def _policy(*, vouched: bool) -> AntiSSRFPolicy:
    policy = AntiSSRFPolicy(PolicyConfigOptions.NONE if vouched else PolicyConfigOptions.EXTERNAL_ONLY_LATEST)
    if vouched:
        policy.add_denied_addresses(_NEVER)
    policy.allow_plain_text_http = vouched  # `Allowed.fault` has let http through for named hosts only
    return policy


def _session(policy: AntiSSRFPolicy) -> requests.Session:
    session: requests.Session = policy.get_antissrf_session()
    session.trust_env = False  # neither a proxy, which would look names up itself, nor .netrc
    for adapter in session.adapters.values():
        assert isinstance(adapter, HTTPAdapter)
        adapter.poolmanager.pool_classes_by_scheme = {"http": Pool, "https": TlsPool}
    return session
