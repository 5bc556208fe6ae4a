"""Accounts: what is kept, what is refused, and the command that keeps them."""

from __future__ import annotations

import io
import os
import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from pathfolio.kg.errors import UsageError
from pathfolio.web.cli import main
from pathfolio.web.site.access.accounts import Account, Accounts
from pathfolio.web.site.access.pending import PendingSignIns
from pathfolio.web.site.access.roles import PERMISSIONS, AccountRole, Permission

PASSWORD = "correct horse battery"  # noqa: S105 - of accounts that the tests make


def account_of(accounts: Accounts, token: str) -> Account | None:
    """The account that the token opens."""
    found = accounts.token(token)
    return None if found is None else found[0]


def test_the_file_keeps_no_password_and_no_token(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "accounts.db"
    accounts = Accounts(path)
    accounts.add("ann", AccountRole.ANALYST, PASSWORD)
    token = accounts.new_token("ann")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = path.read_bytes()
    assert PASSWORD.encode() not in content
    assert token.encode() not in content
    [(stored,)] = sqlite3.connect(path).execute("select password from accounts").fetchall()
    assert stored.startswith("$argon2id$")
    again = Accounts(path)
    assert again.check("ann", PASSWORD) == accounts.find("ann")
    assert again.session_key() == accounts.session_key()
    assert account_of(again, token) == accounts.find("ann")


def test_accounts_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / "accounts.db")
    accounts.add("ann", AccountRole.ANALYST, PASSWORD)
    for name, role, password, investor in (
        ("ann", AccountRole.ANALYST, PASSWORD, None),
        ("a b", AccountRole.ANALYST, PASSWORD, None),
        ("", AccountRole.ANALYST, PASSWORD, None),
        ("bob", AccountRole.ANALYST, "short", None),
        ("bob", AccountRole.INVESTOR, PASSWORD, None),
        ("bob", AccountRole.ANALYST, PASSWORD, "INV1"),
    ):
        with pytest.raises(UsageError):
            accounts.add(name, role, password, investor)
    assert [account.name for account in accounts] == ["ann"]
    for act in (accounts.remove, accounts.new_token, accounts.drop_tokens):
        with pytest.raises(UsageError, match="no account 'bob'"):
            act("bob")
    accounts.remove("ann")
    assert not accounts


def test_an_account_without_a_password_signs_in_with_none(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / "accounts.db")
    accounts.add("job", AccountRole.COMPLIANCE, None)
    for password in ("", "None", "null", PASSWORD):
        assert accounts.check("job", password) is None


def test_no_role_does_everything() -> None:
    for role, permissions in PERMISSIONS.items():
        assert Permission.ACCOUNTS not in permissions or Permission.INVESTORS not in permissions, role


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command."""
    code = main(args)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_accounts_are_kept_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("accounts", "--accounts", str(tmp_path / "a.db"))
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n{PASSWORD}\nshort\n"))
    assert run(capsys, *where, "add", "ann", "--role", "analyst") == (0, "", "")
    assert run(capsys, *where, "add", "ivy", "--role", "investor", "--investor", "I7") == (0, "", "")
    assert run(capsys, *where, "add", "bob", "--role", "analyst")[0] == 2
    token = run(capsys, *where, "token", "ann")[1].strip()
    accounts = Accounts(tmp_path / "a.db")
    assert account_of(accounts, token) == accounts.check("ann", PASSWORD) == accounts.find("ann")
    assert run(capsys, *where, "disable", "ann") == (0, "", "")
    assert run(capsys, *where, "list")[1] == "ann\tanalyst\tdisabled\t\nivy\tinvestor\tenabled\tI7\n"
    assert account_of(accounts, token) is None
    error = "pathfolio: no account 'nobody': see `pathfolio accounts list`\n"
    assert run(capsys, *where, "remove", "nobody") == (2, "", error)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("abacus://somewhere/x", "name a file or a postgresql:// URL"),
        ("postgresql://ann:secret@127.0.0.1:1/x", "see to the database"),
        ("/proc/nowhere/accounts.db", "name another file"),
    ],
)
def test_accounts_that_cannot_be_had_are_told_in_one_line(
    capsys: pytest.CaptureFixture[str], where: str, said: str
) -> None:
    assert main(["accounts", "--accounts", where, "list"]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert "secret" not in error
    assert "unexpected" not in error


def test_accounts_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accounts = Accounts(tmp_path / "accounts.db")
    accounts.add("ann", AccountRole.ANALYST, PASSWORD)
    with sqlite3.connect(tmp_path / "accounts.db") as held:
        held.execute("DROP TABLE tokens")
    assert main(["accounts", "--accounts", str(tmp_path / "accounts.db"), "list"]) == 0
    (tmp_path / "accounts.db").write_bytes(b"not a database " * 1000)
    assert main(["accounts", "--accounts", str(tmp_path / "accounts.db"), "list"]) == 1
    assert "accounts cannot be read or written (file is not a database)" in capsys.readouterr().err


@pytest.mark.postgres
def test_accounts_in_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    url = os.environ.get("PATHFOLIO_TEST_POSTGRES")
    if not url:
        pytest.skip('no PostgreSQL: eval "$(tests/postgres/start.sh)"')
    accounts, name = Accounts(url), f"ann.{os.urandom(4).hex()}"
    accounts.add(name, AccountRole.ANALYST, PASSWORD)
    found = accounts.check(name, PASSWORD)
    assert found is not None
    assert account_of(accounts, accounts.new_token(name)) == found
    assert accounts.check("\0", PASSWORD) is None
    accounts.remove(name)
    assert accounts.find(name) is None
    pending = PendingSignIns(accounts)
    pending.set(name, "begun", 60)
    assert (pending.get(name), pending.get(name)) == ("begun", None)


def test_tokens_have_a_scope_an_end_a_list_and_can_be_revoked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("accounts", "--accounts", str(tmp_path / "a.db"))
    accounts = Accounts(tmp_path / "a.db")
    accounts.add("carl", AccountRole.COMPLIANCE, None)
    night = run(capsys, *where, "token", "carl", "--scope", "records", "--days", "7", "--note", "nightly")[1].strip()
    every = run(capsys, *where, "token", "carl")[1].strip()
    for words, said in (
        (["--scope", "accounts"], "scope 'accounts' is none of role compliance: choose from anyone, assets, home"),
        (["--days", "366"], "a token of 366 days: give 1 to 365"),
        (["--days", "0"], "a token of 0 days"),
    ):
        code, _, error = run(capsys, *where, "token", "carl", *words)
        assert (code, said in error) == (2, True)
    found = accounts.token(night)
    assert found is not None
    assert found[1].granted(PERMISSIONS[AccountRole.COMPLIANCE]) == {Permission.RECORDS, Permission.ANYONE}
    first, second = (line.split("\t") for line in run(capsys, *where, "tokens", "carl")[1].splitlines())
    assert (first[1:3], first[4]) == (["valid", "anyone,records"], "nightly")
    assert second[1:3] == ["valid", "all"]
    assert night not in "".join(first)
    assert run(capsys, *where, "revoke", "carl", "nothing")[0] == 2
    assert run(capsys, *where, "revoke", "carl", first[0]) == (0, "", "")
    assert (accounts.token(night), account_of(accounts, every)) == (None, accounts.find("carl"))
    sqlite3.connect(tmp_path / "a.db", isolation_level=None).execute(
        "update tokens set expires = '2026-01-01 00:00:00'"
    )
    assert accounts.token(every) is None
    assert "\tover\t" in run(capsys, *where, "tokens", "carl")[1]


def test_a_database_of_before_gets_what_it_lacks(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / "a.db")
    accounts.add("ann", AccountRole.ANALYST, None)
    token = accounts.new_token("ann")
    before = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    for column in ("scope", "expires"):
        before.execute(f"alter table tokens drop column {column}")
    before.execute("drop index accounts_identity")
    before.execute("alter table accounts drop column identity")
    before.close()
    accounts = Accounts(tmp_path / "a.db")
    found = accounts.token(token)
    assert found is not None
    accounts.add("carol", AccountRole.COMPLIANCE, None, identity="https://login.example.com#7")
    with pytest.raises(UsageError):
        accounts.add("carl", AccountRole.COMPLIANCE, None, identity="https://login.example.com#7")
    assert (found[1].scope, found[1].expires) == (frozenset(), None)
