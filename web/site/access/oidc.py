"""`OidcSettings`: the OpenID Connect provider at which people sign in; `Person`: who they are by what it says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from pathfolio.kg.errors import PathfolioError, UsageError
from pathfolio.web.site.access.roles import AccountRole

PREFIX: Final = "PATHFOLIO_OIDC_"
PASSWORDS_VARIABLE: Final = "PATHFOLIO_PASSWORDS"
USUAL_ROLES: Final = MappingProxyType({f"pathfolio-{role.value}": role for role in AccountRole})
"""Group to role where nobody says otherwise. A group that is called `administrator` alone may mean anything."""

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class SignInError(PathfolioError):
    """Somebody was not let in; `reason` is the key of what the page says of it (`refused_…`)."""

    def __init__(self, reason: str) -> None:
        """`reason` is one of `REASONS`."""
        super().__init__(f"sign-in refused: {reason}")
        self.reason = reason


REASONS: Final = MappingProxyType(
    {
        "failed": 400,
        "denied": 403,
        "unreachable": 503,
        "no_role": 403,
        "two_roles": 403,
        "no_investor": 403,
        "no_name": 403,
        "name_taken": 403,
        "ended": 403,
    }
)
"""Why somebody was not let in, and the status of the page that says so."""


@dataclass(frozen=True)
class OidcSettings:
    """A provider, and which of its claims make an account.

    Attributes:
        issuer: its address, as its tokens name it to the letter.
        label: what people call it; the sign-in page says it.
        name_claim: what an account is called when it is made.
        role_claim: the claim with groups, or roles; `a.b` is b within a.
        roles: value of that claim to role.
        investor_claim: for the role investor: whose pages the account sees.
        passwords: whether accounts with a password may sign in, too.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    label: str
    scope: str = "openid profile"
    name_claim: str = "preferred_username"
    role_claim: str = "groups"
    roles: Mapping[str, AccountRole] = field(default_factory=lambda: USUAL_ROLES)
    investor_claim: str = "investor_id"
    passwords: bool = True

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self | None:
        """What the variables PATHFOLIO_OIDC_… say; None where no issuer is named.

        Raises:
            UsageError: one is missing or makes no sense, or Authlib is not installed.
        """
        given = {name.removeprefix(PREFIX): text for name, text in environ.items() if name.startswith(PREFIX) and text}
        passwords = _passwords(environ.get(PASSWORDS_VARIABLE, ""), given)
        if "ISSUER" not in given:
            return None
        _check(given)
        optional = ("SCOPE", "NAME_CLAIM", "ROLE_CLAIM", "INVESTOR_CLAIM")
        return cls(
            issuer=given["ISSUER"],
            client_id=given["CLIENT_ID"],
            client_secret=given["CLIENT_SECRET"],
            label=given.get("LABEL") or str(urlsplit(given["ISSUER"]).hostname),
            roles=_roles(given["ROLES"]) if "ROLES" in given else USUAL_ROLES,
            passwords=passwords,
            **{name.lower(): given[name] for name in optional if name in given},
        )


@dataclass(frozen=True)
class Person:
    """Who signed in, by a provider's claims.

    Attributes:
        issuer: the provider that says so.
        identity: issuer and subject. Names and addresses can be given to somebody else, this cannot.
        name: that the provider has for them; empty where it says none.
        roles: all that their groups give.
        investor_id: empty where the provider says none.
    """

    issuer: str
    identity: str
    name: str
    roles: frozenset[AccountRole]
    investor_id: str

    @classmethod
    def of_claims(cls, settings: OidcSettings, claims: Mapping[str, Any]) -> Person:
        """Who it is of whom the provider has said `claims`.

        Raises:
            SignInError: it names no subject.
        """
        subject = _text(claims, "sub")
        if not subject:
            raise SignInError("failed")
        said = claim_of(claims, settings.role_claim)
        groups = [group for group in (said if isinstance(said, list) else [said]) if isinstance(group, str)]
        return cls(
            settings.issuer,
            f"{settings.issuer}#{subject}",
            _text(claims, settings.name_claim),
            frozenset(settings.roles[group] for group in groups if group in settings.roles),
            _text(claims, settings.investor_claim),
        )

    def role(self) -> AccountRole:
        """The one role that they have.

        Raises:
            SignInError: they have none, or several, of which none may do what another may.
        """
        if len(self.roles) != 1:
            raise SignInError("two_roles" if self.roles else "no_role")
        return next(iter(self.roles))


def claim_of(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, or by its path; None where there is none.

    >>> claim_of({"realm_access": {"roles": ["a"]}}, "realm_access.roles"), claim_of({"x.org/r": "a"}, "x.org/r")
    (['a'], 'a')
    """
    if name in claims:
        return claims[name]
    head, _, rest = name.partition(".")
    inner = claims.get(head)
    return claim_of(inner, rest) if rest and isinstance(inner, Mapping) else None


def is_safe_address(url: object) -> bool:
    """Whether it is an address at which nobody listens in: HTTPS, or this machine.

    >>> is_safe_address("https://id.example.com/x"), is_safe_address("http://id.example.com"), is_safe_address(None)
    (True, False, False)
    """
    if not isinstance(url, str) or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK))


def _text(claims: Mapping[str, Any], name: str) -> str:
    found = claim_of(claims, name)
    return found if isinstance(found, str) else ""


def _check(given: Mapping[str, str]) -> None:
    missing = [PREFIX + name for name in ("CLIENT_ID", "CLIENT_SECRET") if name not in given]
    if missing:
        raise UsageError(f"{PREFIX}ISSUER is set, but not {' nor '.join(missing)}: give what the provider told you")
    if not is_safe_address(given["ISSUER"]):
        raise UsageError(f"{PREFIX}ISSUER {given['ISSUER']!r}: write it as https://login.example.com/realm")
    if "openid" not in given.get("SCOPE", "openid").split():
        raise UsageError(f"{PREFIX}SCOPE {given['SCOPE']!r}: it needs openid, as in openid profile")
    if find_spec("authlib") is None:
        raise UsageError("signing in at a provider needs Authlib: pip install 'pathfolio[oidc]'")


def _passwords(text: str, given: Mapping[str, str]) -> bool:
    if text not in ("", "on", "off"):
        raise UsageError(f"{PASSWORDS_VARIABLE} {text!r}: write on or off")
    if text == "off" and "ISSUER" not in given:
        raise UsageError(f"{PASSWORDS_VARIABLE} is off and there is no {PREFIX}ISSUER, so nobody could sign in")
    return text != "off"


def _roles(text: str) -> Mapping[str, AccountRole]:
    """GROUP=ROLE; GROUP=ROLE: names of groups may have = and , in them, as in a directory."""
    found: dict[str, AccountRole] = {}
    for pair in filter(None, map(str.strip, text.split(";"))):
        group, _, role = (part.strip() for part in pair.rpartition("="))
        if not group or role not in set(AccountRole):
            known = ", ".join(AccountRole)
            raise UsageError(f"{PREFIX}ROLES {pair!r}: write it as GROUP=ROLE, with ; between; roles are {known}")
        if found.get(group, role) != role:
            raise UsageError(f"{PREFIX}ROLES gives {group!r} two roles: leave one")
        found[group] = AccountRole(role)
    return MappingProxyType(found)
