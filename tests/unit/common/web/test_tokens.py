"""Which access tokens are good: the rules of common.web.auth.tokens, and forty that are not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from common.web.auth.caller import Permission
from common.web.auth.tokens import LEEWAY, BadToken, Claims, verified
from unit.common.web.issuing import (
    EC,
    ISSUER,
    NOW,
    RSA,
    STRANGE,
    FixedKeys,
    claims,
    part,
    signed_text,
    token,
    trusted,
    unsigned,
    with_hmac_of_the_public_key,
)

WRITER = frozenset({Permission.INGESTS_WRITE, Permission.BAGS_READ})
GOOD_HEADER = '{"alg":"ES256","kid":"ec","typ":"at+jwt"}'


@pytest.mark.parametrize(
    "good",
    [
        pytest.param(token(), id="as issued"),
        pytest.param(token({"alg": "RS256", "kid": "rsa"}, key=RSA), id="RSA"),
        pytest.param(token({"typ": None}), id="without typ"),
        pytest.param(token({"typ": "JWT"}), id="typ JWT"),
        pytest.param(token(aud=["other", "backfill"]), id="one of several audiences"),
        pytest.param(token(exp=NOW - 59), id="expired within the leeway"),
        pytest.param(token(nbf=NOW + 59, iat=NOW + 59), id="not yet, within the leeway"),
        pytest.param(token(nbf=None, iat=None), id="only an end"),
        pytest.param(token(typ="Bearer"), id="Keycloak's claim typ"),
        pytest.param(token(scope=None, scp=["ingests:write", "bags:read"]), id="scp as a list"),
        pytest.param(signed_text(GOOD_HEADER, json.dumps(claims())), id="signed by hand"),
    ],
)
def test_a_good_token_says_who_calls_and_what_they_may(good: str) -> None:
    said = verified(good, trusted(), now=NOW)
    assert said == Claims(ISSUER, "workflow", "workflow", WRITER, expires=said.expires)


def test_a_token_says_until_when_it_is_good() -> None:
    assert verified(token(exp=NOW + 5), trusted(), now=NOW).expires == NOW + 5 + LEEWAY


BAD = {
    "alg none": unsigned({"alg": "none", "kid": "ec"}),
    "alg None in other letters": unsigned({"alg": "nOnE", "kid": "ec"}),
    "alg missing": unsigned({"kid": "ec"}),
    "HS256 with the public key": with_hmac_of_the_public_key(),
    "signed by somebody else under the key's id": token(key=STRANGE),
    "an algorithm that is not listed": token({"alg": "RS512", "kid": "rsa"}, key=RSA),
    "not the key's algorithm": token({"alg": "PS256", "kid": "rsa"}, key=RSA),
    "the algorithm of another kind of key": token({"alg": "RS256", "kid": "ec"}, key=RSA),
    "no signature": token().rsplit(".", 1)[0] + ".",
    "a signature that was changed": token()[:-4] + "AAAA",
    "claims that were changed": ".".join([token().split(".")[0], part(json.dumps(claims())), token().split(".")[2]]),
    "kid missing": token({"kid": None}),
    "kid unknown": token({"kid": "other"}),
    "kid no string": signed_text('{"alg":"ES256","kid":["ec"]}', json.dumps(claims())),
    "kid a path": token({"kid": "../../etc/passwd"}),
    "crit": signed_text('{"alg":"ES256","kid":"ec","crit":["exp"]}', json.dumps(claims())),
    "crit empty": signed_text('{"alg":"ES256","kid":"ec","crit":[]}', json.dumps(claims())),
    "b64": signed_text('{"alg":"ES256","kid":"ec","b64":false}', json.dumps(claims())),
    "an ID token by typ": token({"typ": "id_token+jwt"}),
    "a logout token": token({"typ": "logout+jwt"}),
    "typ no string": signed_text('{"alg":"ES256","kid":"ec","typ":1}', json.dumps(claims())),
    "alg twice": signed_text('{"alg":"none","alg":"ES256","kid":"ec"}', json.dumps(claims())),
    "issuer twice": signed_text(GOOD_HEADER, '{"iss":"x",' + json.dumps(claims())[1:]),
    "scope twice": signed_text(GOOD_HEADER, json.dumps(claims())[:-1] + ',"scope":"operate"}'),
    "issuer missing": token(iss=None),
    "issuer another": token(iss="https://login.example.org/other"),
    "issuer with a slash more": token(iss=ISSUER + "/"),
    "issuer no string": token(iss=[ISSUER]),
    "audience missing": token(aud=None),
    "audience another": token(aud="other"),
    "audience that only contains ours": token(aud="backfill-test"),
    "end missing": token(exp=None),
    "expired": token(exp=NOW - 60),
    "end no number": token(exp="2099-01-01"),
    "end a truth": token(exp=True),
    "end infinite": signed_text(GOOD_HEADER, json.dumps(claims(exp=float("inf")))),
    "not before an hour": token(nbf=NOW + 3600),
    "issued in an hour": token(iat=NOW + 3600),
    "Cognito's ID token": token(token_use="id"),
    "Keycloak's ID token": token(typ="ID"),
    "Keycloak's refresh token": token(typ="Refresh"),
    "an ID token by its nonce": token(nonce="n"),
    "an ID token by its access token hash": token(at_hash="h"),
    "no subject": token(sub="", client_id=None),
    "subject no string": token(sub=7),
    "scopes no words": token(scope={"operate": True}),
    "scopes not all words": token(scope=None, scp=["operate", 1]),
    "huge": token(filler="x" * 9000),
    "five parts": token() + ".x.y",
    "no JSON": "a.b.c",
    "header no object": signed_text('["ES256"]', json.dumps(claims())),
    "claims no object": signed_text(GOOD_HEADER, "[]"),
    "deeply nested": signed_text(GOOD_HEADER, "[" * 3000 + "]" * 3000),
    "not ASCII": token() + "é",
    "empty": "",
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_token_proves_nothing(bad: str) -> None:
    with pytest.raises(BadToken):
        verified(bad, trusted(), now=NOW)


COGNITO: dict[str, Any] = {"aud": None, "token_use": "access"}


def test_without_an_audience_the_client_must_be_a_known_one() -> None:
    rules = trusted(audience=None, clients=frozenset({"workflow"}))

    assert verified(token(**COGNITO), rules, now=NOW).client == "workflow"
    for bad in (token(**COGNITO | {"client_id": "other"}), token(**COGNITO | {"client_id": None})):
        with pytest.raises(BadToken, match="is not one that may call"):
            verified(bad, rules, now=NOW)


def test_an_issuer_without_any_condition_is_trusted_with_nothing() -> None:
    with pytest.raises(BadToken, match="whom its issuer's tokens are for"):
        verified(token(), trusted(audience=None), now=NOW)


def test_keycloaks_azp_is_the_client() -> None:
    rules = trusted(clients=frozenset({"workflow"}))

    assert verified(token(client_id=None, azp="workflow"), rules, now=NOW).client == "workflow"


def test_an_issuers_scopes_mean_what_the_configuration_says_and_nothing_else() -> None:
    prefix = "https://api.example.org/storage/v1"
    rules = trusted(scopes={f"{prefix}/bags": [Permission.BAGS_READ], "operate": []})
    found = verified(token(scope=f"{prefix}/bags {prefix}/ingests operate ingests:read"), rules, now=NOW)

    assert found.permissions == {Permission.BAGS_READ, Permission.INGESTS_READ}


def test_the_key_of_one_issuer_vouches_for_no_other() -> None:
    other = {"https://other.example": trusted(issuer="https://other.example", keys=FixedKeys(STRANGE))[ISSUER]}

    with pytest.raises(BadToken, match="signature"):
        verified(token(iss="https://other.example", key=EC), trusted() | other, now=NOW)
