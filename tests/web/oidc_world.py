"""A small OpenID Connect provider that runs on loopback: the server side of Authlib with real keys. It can lie, too."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import AuthorizationCodeMixin, OpenIDCode
from flask import Flask, Response, jsonify, redirect, request
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.test import TestResponse

from pathfolio.web.site.access.oidc import OidcSettings

CLIENT, SECRET = "pathfolio-site", "a secret of client and provider"
BACK = "/sign-in/provider/back"
KEY = RSAKey.generate_key(2048, auto_kid=True)
Forge = Callable[["SmallProvider", dict[str, Any]], str]
"""Makes an identity token of the claims that an honest one would have."""


def honest(provider: SmallProvider, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": provider.key.kid}, claims, provider.key)


@dataclass
class IssuedCode(AuthorizationCodeMixin):
    code: str
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    code_challenge_method: str

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> None:
        return None


class SiteAsClient(ClientMixin):
    def __init__(self, address: str) -> None:
        self.address = address

    def get_client_id(self) -> str:
        return CLIENT

    def get_default_redirect_uri(self) -> str:
        return self.address + BACK

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.address + BACK

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class SmallProvider:
    """What the provider knows, and how it lies.

    Attributes:
        user: the claims of whoever signs in next; None: nobody, who says no.
        described: of its description, what is otherwise than it should be.
        forge: makes identity tokens.
        twice: takes a code again that was used.
        asked: the arguments of each sign-in; left: those of each sign-out.
    """

    issuer: str = ""
    site: str = "http://localhost"
    key: RSAKey = field(default_factory=lambda: KEY)
    user: dict[str, Any] | None = None
    described: dict[str, Any] = field(default_factory=dict)
    forge: Forge = honest
    twice: bool = False
    says_who: str | None = None
    codes: dict[str, IssuedCode] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    left: list[dict[str, str]] = field(default_factory=list)
    issued: list[str] = field(default_factory=list)

    def settings(self, **others: Any) -> OidcSettings:
        return OidcSettings(self.issuer, CLIENT, SECRET, "Example Bank", **others)

    def signs_in(self, name: str, *groups: str, **claims: Any) -> None:
        self.user = {"sub": f"id-of-{name}", "preferred_username": name, "groups": list(groups)} | claims


class CodeGrant(AuthorizationCodeGrant):
    def _provider(self) -> SmallProvider:
        found: SmallProvider = self.server.provider
        return found

    def save_authorization_code(self, code: str, request: Any) -> None:
        said = request.payload.data
        challenge = said.get("code_challenge"), said.get("code_challenge_method")
        self._provider().codes[code] = IssuedCode(
            code, request.payload.redirect_uri, request.scope, said["nonce"], *challenge
        )

    def query_authorization_code(self, code: str, client: object) -> IssuedCode | None:
        return self._provider().codes.get(code)

    def delete_authorization_code(self, code: IssuedCode) -> None:
        if not self._provider().twice:
            del self._provider().codes[code.code]

    def authenticate_user(self, code: IssuedCode) -> dict[str, Any] | None:
        return self._provider().user


class IdentityTokens(OpenIDCode):
    def __init__(self, provider: SmallProvider) -> None:
        super().__init__(require_nonce=True)
        self.provider = provider

    def exists_nonce(self, nonce: str, request: object) -> bool:
        return False

    def get_client_claims(self, client: object) -> dict[str, Any]:
        return {"iss": self.provider.issuer}

    def encode_id_token(self, token: dict[str, Any], request: Any) -> str:
        claims = self.get_compatible_claims(request)
        claims |= self.get_authorization_code_claims(request.authorization_code) | request.user
        made = self.provider.forge(self.provider, claims)
        self.provider.issued += [made, token["access_token"]]
        return made


def _app(provider: SmallProvider) -> Flask:
    app = Flask("provider")
    server = AuthorizationServer(app, lambda _: SiteAsClient(provider.site), lambda *_: None)
    server.provider = provider
    server.register_grant(CodeGrant, [CodeChallenge(required=True), IdentityTokens(provider)])

    @app.get("/.well-known/openid-configuration")
    def description() -> Response:
        ends = {"authorization": "authorize", "token": "token", "end_session": "logout"}
        found = {f"{name}_endpoint": f"{provider.issuer}/{path}" for name, path in ends.items()}
        found |= {"issuer": provider.issuer, "jwks_uri": f"{provider.issuer}/keys"}
        return jsonify({k: v for k, v in (found | provider.described).items() if v is not None})

    @app.get("/keys")
    def keys() -> Response:
        return jsonify({"keys": [provider.key.as_dict(private=False)]})

    @app.get("/authorize")
    def authorize() -> Any:
        provider.asked.append(request.args.to_dict())
        try:
            grant = server.get_consent_grant(end_user=provider.user)
        except OAuth2Error as error:
            return server.handle_error_response(request, error)
        response = server.create_authorization_response(grant=grant, grant_user=provider.user)
        if provider.says_who is not None:
            response.location += f"&iss={provider.says_who}"
        return response

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response()

    @app.get("/logout")
    def logout() -> Any:
        provider.left.append(request.args.to_dict())
        return redirect(request.args["post_logout_redirect_uri"])

    return app


class SilentHandler(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """Write nothing of what the provider is asked: codes are in it."""


@contextmanager
def running(provider: SmallProvider) -> Iterator[SmallProvider]:
    """`provider` while it answers on loopback."""
    server: BaseWSGIServer = make_server("127.0.0.1", 0, _app(provider), threaded=True, request_handler=SilentHandler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def provider() -> Iterator[SmallProvider]:
    with running(SmallProvider()) as found:
        yield found


def to_provider(client: FlaskClient, target: str = "") -> str:
    """Begin to sign in: where the browser is sent."""
    response = client.get("/sign-in/provider", query_string={"next": target})
    assert response.status_code == 302, response.text
    return str(response.location)


def at_provider(address: str) -> str:
    """Sign in at the provider: the page of the site, with its arguments, to which it sends the browser back."""
    there = urlsplit(address)
    connection = HTTPConnection(there.netloc, timeout=10)
    connection.request("GET", f"{there.path}?{there.query}")
    answer = connection.getresponse()
    back = urlsplit(str(answer.getheader("Location")))
    connection.close()
    assert back.path == BACK
    return f"{back.path}?{back.query}"


def sign_in(client: FlaskClient, target: str = "") -> TestResponse:
    """The whole way."""
    return come_back(client, at_provider(to_provider(client, target)))


def come_back(client: FlaskClient, address: str) -> TestResponse:
    """What the browser gets that comes back to `address`: where it goes on, or the page that says why not."""
    response = client.get(address)
    return client.get("/sign-in/refused") if response.location == "/sign-in/refused" else response
