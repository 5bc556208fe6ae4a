"""`Provider`: signing in at an OpenID Connect provider, by its authorisation code with PKCE. Only here is Authlib."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from authlib.common.errors import AuthlibBaseError
from authlib.common.urls import add_params_to_uri
from authlib.integrations.flask_client import FlaskIntegration, FlaskOAuth2App
from flask import session
from joserfc.errors import JoseError
from requests import RequestException

from pathfolio.web.site.access.oidc import OidcSettings, SignInError, is_safe_address
from pathfolio.web.site.access.pending import PendingSignIns

log = logging.getLogger("pathfolio.access")
logging.getLogger("authlib").setLevel(logging.INFO)  # in more detail it writes down what PKCE keeps secret

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures that only the provider can make; one by a secret that this site has, too, proves nothing."""

LEEWAY: Final = 60
"""Seconds by which the clocks may differ."""

OLDEST_TOKEN: Final = 300
"""Seconds since a token was issued: it was asked for a moment ago."""

PATIENCE: Final = 10
"""Seconds that the provider may take to answer."""

TO_BE_FINISHED_IN: Final = 900
"""Seconds that people have at the provider, second factor and all."""

KEPT_FOR: Final = 3600
"""Seconds after which the provider's addresses and keys are read again."""

MOST_PENDING: Final = 5
"""So many sign-ins may be open in one browser, as in several tabs."""

LONGEST_TARGET: Final = 4_000
"""Characters of an address that is remembered until somebody is signed in; strangers must not fill the database."""

_READ: Final = (
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "jwks",
    "end_session_endpoint",
    "authorization_response_iss_parameter_supported",
)
"""All that is read of a provider's description; Authlib would take anything there as an option of its own."""

_CODE: Final = re.compile(r"[a-z_]{1,40}")
_NAME: Final = "oidc"


@dataclass(frozen=True)
class Finished:
    """What came of a sign-in: what the provider said of whom, and where they wanted to go."""

    claims: Mapping[str, Any]
    target: str


class Provider:
    """The provider that `settings` names.

    Args:
        pending: keeps what is begun.
    """

    def __init__(self, settings: OidcSettings, pending: PendingSignIns) -> None:
        """Nothing is asked before somebody signs in."""
        self.settings = settings
        self._pending = pending
        self._client = self._new_client()
        self._since = time.monotonic()

    def begin(self, back: str, target: str) -> str:
        """Where the browser has to go; `back` is where it comes back to, `target` where it goes then.

        Raises:
            SignInError: the provider does not answer, or is not what it should be.
        """
        with _told():
            client = self._current()
            made = client.create_authorization_url(back)
            _forget_the_oldest(client.framework.name)
            remembered = target if len(target) <= LONGEST_TARGET else "/"
            client.save_authorize_data(redirect_uri=back, target=remembered, **made)
            return str(made["url"])

    def finish(self, came: Mapping[str, str]) -> Finished:
        """What came of it, from the arguments with which the browser came back.

        Raises:
            SignInError: it was not begun here, or is finished already, or what the provider says cannot be trusted.
        """
        with _told():
            client = self._current()
            begun = client.framework.get_state_data(session, came.get("state", ""))
            client.framework.clear_state_data(session, came.get("state", ""))
            if not begun:
                raise SignInError("failed")
            self._check_answer(client, came)
            token = client.fetch_access_token(
                redirect_uri=begun["redirect_uri"], code=came["code"], code_verifier=begun["code_verifier"]
            )
            return Finished(self._claims(client, token, begun["nonce"]), str(begun["target"]))

    def sign_out_address(self, back: str) -> str | None:
        """Where a browser ends its session at the provider and comes `back`; None where there is no such address."""
        try:
            with _told():
                endpoint = self._current().load_server_metadata().get("end_session_endpoint")
        except SignInError:
            return None
        if not is_safe_address(endpoint):
            return None
        about = [("client_id", self.settings.client_id), ("post_logout_redirect_uri", back)]
        return str(add_params_to_uri(endpoint, about))

    def _check_answer(self, client: _Client, came: Mapping[str, str]) -> None:
        """Refuse the answer of another provider (RFC 9207), and one that says no."""
        says_who = client.load_server_metadata().get("authorization_response_iss_parameter_supported") is True
        if came.get("iss", None if says_who else self.settings.issuer) != self.settings.issuer:
            log.warning("sign-in came back from another provider")
            raise SignInError("failed")
        if "error" in came:
            log.warning("the provider refused a sign-in: %s", _code(came["error"]))
            raise SignInError("denied" if came["error"] == "access_denied" else "failed")

    def _claims(self, client: _Client, token: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        """The claims of the token's identity, once its signature, addressee, issuer, nonce and times are checked."""
        wanted = {
            "iss": {"essential": True, "values": [self.settings.issuer]},
            "aud": {"essential": True, "values": [self.settings.client_id]},
        }
        found = client.parse_id_token(token, nonce, claims_options=wanted, leeway=LEEWAY)
        if found is None:
            raise ValueError("no identity")
        if found["iat"] < time.time() - OLDEST_TOKEN:
            raise ValueError("an old identity")
        claims: Mapping[str, Any] = found
        return claims

    def _current(self) -> _Client:
        """The client; a new one from time to time, so that keys that the provider has taken back count no more."""
        if time.monotonic() - self._since > KEPT_FOR:
            self._client, self._since = self._new_client(), time.monotonic()
        return self._client

    def _new_client(self) -> _Client:
        about = self.settings
        return _Client(
            _Integration(_NAME, self._pending),
            _NAME,
            client_id=about.client_id,
            client_secret=about.client_secret,
            client_kwargs={"scope": about.scope, "code_challenge_method": "S256", "default_timeout": PATIENCE},
            server_metadata_url=f"{about.issuer.rstrip('/')}/.well-known/openid-configuration",
            trusted_issuer=about.issuer,
        )


class _Integration(FlaskIntegration):  # type: ignore[misc] # Authlib has no types
    expires_in = TO_BE_FINISHED_IN


class _Client(FlaskOAuth2App):  # type: ignore[misc] # Authlib has no types
    """Authlib's client, which believes no description of a provider before it is checked."""

    def __init__(self, framework: _Integration, name: str, *, trusted_issuer: str, **options: Any) -> None:
        super().__init__(framework, name, **options)
        self._trusted_issuer = trusted_issuer

    def load_server_metadata(self) -> dict[str, Any]:
        """The provider's description of itself.

        Raises:
            ValueError: it describes another provider, or has addresses at which others could listen in.
        """
        found = super().load_server_metadata()
        if found.get("issuer") != self._trusted_issuer:
            raise ValueError("the description of another provider")
        if not all(map(is_safe_address, map(found.get, ("authorization_endpoint", "token_endpoint", "jwks_uri")))):
            raise ValueError("a provider without HTTPS")
        return {name: found[name] for name in _READ if name in found} | _agreed(found)


def _agreed(found: Mapping[str, Any]) -> dict[str, Any]:
    """How tokens are signed and how this site names itself, of what the provider offers."""
    offered = found.get("id_token_signing_alg_values_supported") or ()
    methods = found.get("token_endpoint_auth_methods_supported") or ()
    by_form = "client_secret_post" in methods and "client_secret_basic" not in methods
    return {
        "id_token_signing_alg_values_supported": [each for each in ALGORITHMS if each in offered] or ["RS256"],
        "token_endpoint_auth_method": "client_secret_post" if by_form else "client_secret_basic",
    }


def _forget_the_oldest(name: str) -> None:
    """Leave room in the browser's cookie for one more sign-in that is begun."""
    begun = [key for key in session if key.startswith(f"_state_{name}_")]
    for key in sorted(begun, key=lambda key: float(session[key]["exp"]))[: 1 - MOST_PENDING]:
        session.pop(key)


@contextmanager
def _told() -> Iterator[None]:
    """Make one error of all that can go wrong between here and the provider; the log names its kind, and no secret."""
    try:
        yield
    except RequestException as error:
        log.error("the provider does not answer: %s", type(error).__name__)
        raise SignInError("unreachable") from None
    except (AuthlibBaseError, JoseError) as error:
        log.warning("a sign-in failed: %s %s", type(error).__name__, _code(error.error))
        raise SignInError("failed") from None
    except (ValueError, LookupError, TypeError, AttributeError, RuntimeError) as error:
        log.warning("a sign-in failed: %s in what the provider said", type(error).__name__)
        raise SignInError("failed") from None


def _code(text: object) -> str:
    """An error's code; whatever else stands there may be anything."""
    return text if isinstance(text, str) and _CODE.fullmatch(text) else "unnamed"
