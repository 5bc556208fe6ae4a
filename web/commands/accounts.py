"""`pathfolio accounts`: who may sign in to the site."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pathfolio.web.advice import account_name
from pathfolio.web.arguments import add_described

if TYPE_CHECKING:
    from pathfolio.web.site.access.accounts import Accounts

VARIABLE = "PATHFOLIO_ACCOUNTS"
ROLES = ("investor", "analyst", "compliance", "engineer", "administrator")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    add_store(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = _named(actions, "add", "make an account; its password is asked for, or read from standard input")
    add.add_argument("--role", required=True, choices=ROLES, help="what it may see and do")
    add.add_argument("--investor", metavar="ID", help="for the role investor: whose pages it sees")
    add.add_argument("--token-only", action="store_true", help="no password: it is used by API tokens alone")
    add_described(actions, "list", "print all accounts")
    for action, summary in (
        ("password", "set another password; its sessions end"),
        ("disable", "end its access at once"),
        ("enable", "let it sign in again"),
        ("remove", "remove it and its tokens"),
        ("tokens", "list its API tokens: id, state, scope, end and note"),
        ("drop-tokens", "make all of its API tokens invalid"),
    ):
        _named(actions, action, summary)
    token = _named(actions, "token", "print a new API token, once")
    token.add_argument("--note", default="", help="what it is for")
    token.add_argument(
        "--scope", action="append", default=[], metavar="PERMISSION", help="one of its role's; may repeat"
    )
    token.add_argument("--days", type=int, default=90, metavar="N", help="how long it lives (default: 90, at most 365)")
    revoke = _named(actions, "revoke", "make one API token invalid")
    revoke.add_argument("token", metavar="ID", help="as `accounts tokens` lists it")


def _named(actions: Any, action: str, summary: str) -> argparse.ArgumentParser:
    made = add_described(actions, action, summary)
    made.add_argument("name", metavar="NAME", help="of the account")
    return made


def add_store(parser: argparse.ArgumentParser) -> None:
    """--accounts, which `serve` has as well."""
    parser.add_argument(
        "--accounts", metavar="FILE|URL", default=os.environ.get(VARIABLE), help=f"where they are kept ({VARIABLE})"
    )


def run(args: argparse.Namespace) -> None:
    """Do one thing to the accounts.

    Raises:
        UsageError: no such account, a name that is taken, a password that is too short.
        PathfolioError: the accounts cannot be read or written.
    """
    from pathfolio.web.site.access.accounts import Accounts

    accounts = Accounts(args.accounts or default_file())
    if args.action not in ("list", "tokens"):
        _note(args)
    match args.action:
        case "add":
            _add(accounts, args)
        case "list":
            _list(accounts)
        case "password":
            accounts.set_password(args.name, _password())
        case "disable" | "enable":
            accounts.enable(args.name, args.action == "enable")
        case "remove":
            accounts.remove(args.name)
        case "drop-tokens":
            sys.stdout.write(f"{accounts.drop_tokens(args.name)} tokens dropped\n")
        case "token":
            sys.stdout.write(f"{accounts.new_token(args.name, args.note, args.scope, args.days)}\n")
        case "tokens":
            _list_tokens(accounts, args.name)
        case "revoke":
            accounts.revoke(args.name, args.token)


def _note(args: argparse.Namespace) -> None:
    """Record who changes what, before it is changed."""
    from pathfolio.explain.ledger.opening import open_ledger
    from pathfolio.explain.records.uses import AccountUse, note_use

    ledger = open_ledger()
    role, investor = (getattr(args, name, None) or "" for name in ("role", "investor"))
    use = AccountUse(who=account_name(), account=args.name, change=args.action, role=role, investor=investor)
    note_use(ledger, use)
    ledger.close()


def default_file() -> Path:
    """Where accounts are kept unless told otherwise: the user's own data folder."""
    from platformdirs import user_data_path

    return user_data_path("pathfolio") / "accounts.db"


def _add(accounts: Accounts, args: argparse.Namespace) -> None:
    from pathfolio.web.site.access.roles import AccountRole

    password = None if args.token_only else _password()
    accounts.add(args.name, AccountRole(args.role), password, args.investor)


def _list(accounts: Accounts) -> None:
    for account in accounts:
        state = "enabled" if account.enabled else "disabled"
        sys.stdout.write(f"{account.name}\t{account.role}\t{state}\t{account.investor_id or ''}\n")


def _list_tokens(accounts: Accounts, name: str) -> None:
    now = datetime.now(UTC)
    for token in accounts.tokens(name):
        scope = ",".join(sorted(permission.value.replace(" ", "-") for permission in token.scope)) or "all"
        end = "never" if token.expires is None else f"{token.expires:%Y-%m-%d}"
        sys.stdout.write(f"{token.id}\t{'over' if token.is_over(now) else 'valid'}\t{scope}\t{end}\t{token.note}\n")


def _password() -> str:
    """Typed twice on a terminal; the first line of standard input otherwise."""
    from pathfolio.kg.errors import UsageError

    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("password: ")
    if getpass.getpass("again: ") != password:
        raise UsageError("the two passwords differ: try again")
    return password
