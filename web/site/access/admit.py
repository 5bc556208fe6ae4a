"""`admit`: the account of somebody who signed in at the provider. What a sign-in changes is recorded before."""

from __future__ import annotations

import logging

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records.uses import AccountUse, note_use
from pathfolio.kg.errors import UsageError
from pathfolio.web.site.access.accounts import Account, Accounts, is_account_name
from pathfolio.web.site.access.oidc import Person, SignInError
from pathfolio.web.site.access.roles import AccountRole

log = logging.getLogger("pathfolio.access")


def admit(accounts: Accounts, ledger: Ledger, person: Person) -> Account:
    """The account of `person`: made where there is none yet, and with the role that the provider gives now.

    Raises:
        SignInError: the provider gives no role that an account can have, the name belongs to another account, or an
            administrator has ended the access.
        LedgerError: a change could not be recorded, so nothing is changed.
    """
    known = accounts.of_identity(person.identity)
    try:
        role, investor_id = _granted(person)
    except SignInError:
        if known is not None:
            _end(accounts, ledger, person, known)
        raise
    if known is None:
        return _first(accounts, ledger, person, role, investor_id)
    if not known.enabled:
        raise SignInError("ended")
    if (known.role, known.investor_id) == (role, investor_id):
        return known
    _note(ledger, person, known.name, "assign", role, investor_id)
    return accounts.assign(known.name, role, investor_id)


def _granted(person: Person) -> tuple[AccountRole, str | None]:
    """Role, and whose pages go with it."""
    role = person.role()
    if role is not AccountRole.INVESTOR:
        return role, None
    if not person.investor_id:
        raise SignInError("no_investor")
    return role, person.investor_id


def _first(accounts: Accounts, ledger: Ledger, person: Person, role: AccountRole, investor_id: str | None) -> Account:
    """Make the account of somebody who was never here. A name that is there already is never theirs."""
    if not is_account_name(person.name):
        raise SignInError("no_name")
    if accounts.is_taken(person.name):
        raise SignInError("name_taken")
    _note(ledger, person, person.name, "add", role, investor_id)
    try:
        return accounts.add(person.name, role, None, investor_id, person.identity)
    except UsageError:  # somebody was a moment faster
        found = accounts.of_identity(person.identity)
        if found is None:
            raise SignInError("name_taken") from None
        return found


def _end(accounts: Accounts, ledger: Ledger, person: Person, known: Account) -> None:
    """End what is left of an account's access: its sessions and its tokens."""
    log.warning("the provider gives %s no role any more", known.name)
    if accounts.tokens(known.name):
        _note(ledger, person, known.name, "drop-tokens")
        accounts.drop_tokens(known.name)
    accounts.end_sessions(known.name)


def _note(
    ledger: Ledger, person: Person, name: str, change: str, role: str = "", investor_id: str | None = None
) -> None:
    """Record what the provider changes here, in the provider's name."""
    use = AccountUse(who=person.issuer, account=name, change=change, role=str(role), investor=investor_id or "")
    note_use(ledger, use)
