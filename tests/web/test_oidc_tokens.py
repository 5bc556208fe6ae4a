"""Tokens of a provider that prove nothing let nobody in."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from joserfc.jws import JWSRegistry

from pathfolio.web.site.access import provider as client_side
from pathfolio.web.site.access.accounts import Accounts
from tests.web.oidc_site import accounts, client, is_in, refused, site
from tests.web.oidc_world import (
    CLIENT,
    SECRET,
    SmallProvider,
    honest,
    provider,
    sign_in,
)

__all__ = ["accounts", "client", "provider", "site"]  # fixtures


def changed(**changes: Any) -> Callable[[SmallProvider, dict[str, Any]], str]:
    """An honestly signed token with other claims; those that are None are left out."""
    return lambda small, claims: honest(small, {k: v for k, v in (claims | changes).items() if v is not None})


def later(name: str, seconds: float) -> Callable[[SmallProvider, dict[str, Any]], str]:
    return lambda small, claims: honest(small, claims | {name: int(time.time() + seconds)})


def signed_by(key: OctKey | RSAKey, alg: str, **header: Any) -> Callable[[SmallProvider, dict[str, Any]], str]:
    def made(small: SmallProvider, claims: dict[str, Any]) -> str:
        registry = JWSRegistry(algorithms=[alg], strict_check_header=False)
        return jwt.encode({"alg": alg, "kid": small.key.kid} | header, claims, key, registry=registry)

    return made


def stripped(small: SmallProvider, claims: dict[str, Any]) -> str:
    return honest(small, claims).rpartition(".")[0] + "."


def tampered(small: SmallProvider, claims: dict[str, Any]) -> str:
    head, _, signature = honest(small, claims).split(".")
    return ".".join((head, honest(small, claims | {"groups": ["pathfolio-administrator"]}).split(".")[1], signature))


def by_hand(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A token that no library would make."""
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signature = urlsafe_b64encode(sign(b".".join(parts))).rstrip(b"=")
    return b".".join((*parts, signature)).decode()


def unsigned(_: SmallProvider, claims: dict[str, Any]) -> str:
    return by_hand({"alg": "none"}, claims, lambda _: b"")


def by_public_key(small: SmallProvider, claims: dict[str, Any]) -> str:
    """The old confusion: the public key, which everybody knows, taken for a secret."""
    header = {"alg": "HS256", "kid": small.key.kid}
    return by_hand(header, claims, lambda text: hmac.digest(small.key.as_pem(private=False), text, "sha256"))


def with_an_extension(small: SmallProvider, claims: dict[str, Any]) -> str:
    """Signed by the provider, but not to be understood without what the header names."""
    secret = small.key.private_key
    header = {"alg": "RS256", "kid": small.key.kid, "crit": ["exp"], "exp": 7}
    return by_hand(header, claims, lambda text: secret.sign(text, PKCS1v15(), SHA256()))


FOREIGN = RSAKey.generate_key(2048)
LIES: dict[str, Callable[[SmallProvider, dict[str, Any]], str]] = {
    "unsigned": unsigned,
    "signature cut off": stripped,
    "claims changed after signing": tampered,
    "signed by somebody else": signed_by(FOREIGN, "RS256"),
    "with the key to check it by": signed_by(FOREIGN, "RS256", jwk=FOREIGN.as_dict(private=False)),
    "with the address of a key": signed_by(FOREIGN, "RS256", jku="http://127.0.0.1:1/keys"),
    "signed by the site's own secret": signed_by(OctKey.import_key(SECRET), "HS256"),
    "signed by the public key": by_public_key,
    "an extension that must be understood": with_an_extension,
    "for another site": changed(aud="another-site"),
    "for another site, asked for by this one": changed(aud="another-site", azp=CLIENT),
    "for this one, asked for by another": changed(aud=[CLIENT, "another-site"], azp="another-site"),
    "for nobody": changed(aud=None),
    "for an empty list": changed(aud=[]),
    "of another issuer": changed(iss="https://login.example.com"),
    "of an issuer that begins alike": lambda small, claims: honest(small, claims | {"iss": f"{small.issuer}/"}),
    "of no issuer": changed(iss=None),
    "of another sign-in": changed(nonce="of-another-sign-in"),
    "of no sign-in": changed(nonce=None),
    "that a claim calls exempt": changed(nonce=None, nonce_supported=False),
    "about nobody": changed(sub=None),
    "about an empty name": changed(sub=""),
    "about a number": changed(sub=7),
    "over": later("exp", -120),
    "that never ends": changed(exp=None),
    "whose end is no number": changed(exp=float("nan")),
    "not yet valid": later("nbf", 600),
    "issued an hour ago": later("iat", -3600),
    "issued tomorrow": later("iat", 86_400),
    "issued never": changed(iat=None),
    "issued true": changed(iat=True),
    "of another access token": changed(at_hash="x" * 22),
    "no token": lambda *_: "none of yours",
    "three dots": lambda *_: "...",
    "a number": lambda *_: 7,  # type: ignore[return-value,dict-item] # it lies
    "nothing": lambda *_: None,  # type: ignore[return-value,dict-item] # it lies
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_proves_nothing_lets_nobody_in(
    client: FlaskClient, provider: SmallProvider, accounts: Accounts, lie: str
) -> None:
    provider.signs_in("mallory", "pathfolio-compliance")
    provider.forge = LIES[lie]
    provider.described = {"id_token_signing_alg_values_supported": ["none", "HS256", "RS256"]}
    refused(sign_in(client), 400, "Signing in did not work")
    assert not is_in(client)
    assert list(accounts) == []
    provider.forge = honest
    assert sign_in(client).status_code == 303, "the same but honest is let in"


def test_other_keys_of_the_provider_count_at_once(client: FlaskClient, provider: SmallProvider) -> None:
    provider.signs_in("carol", "pathfolio-compliance")
    sign_in(client)
    provider.key = RSAKey.generate_key(2048, auto_kid=True)
    assert sign_in(client.application.test_client()).status_code == 303


def test_keys_that_the_provider_took_back_count_no_more(
    client: FlaskClient, provider: SmallProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.signs_in("carol", "pathfolio-compliance")
    sign_in(client)
    stolen = provider.key
    provider.key = RSAKey.generate_key(2048, auto_kid=True)
    provider.forge = lambda small, claims: jwt.encode({"alg": "RS256", "kid": stolen.kid}, claims, stolen)
    monkeypatch.setattr(client_side, "KEPT_FOR", -1)
    refused(sign_in(client.application.test_client()), 400, "Signing in did not work")
