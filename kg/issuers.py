"""Who issued an asset, read from the asset's name, for sources that do not say."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Any, Final

import pandas as pd

_LINKING: Final = frozenset({"of", "de", "del", "der", "di", "du", "and", "et"})
_CODE: Final = re.compile(r"^[A-Z0-9]{7}\s++(?=.*[a-z])")
"""A fund's seven-letter ticker before its name: MIGSDRI BlackRock Global Funds."""
_GREEK: Final = str.maketrans(
    {**dict(zip("αβγδεζηικλμνξοπρσςτυφω", "avgdeziiklmnxoprsstyfo", strict=True)), "θ": "th", "χ": "ch", "ψ": "ps"}
)


@cache
def _rules() -> tuple[frozenset[str], frozenset[str], dict[str, str]]:
    """Words that say nothing alone, words to skip, and from each way to write an issuer to its name."""
    text = files("pathfolio.kg").joinpath("issuers.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    names = {way: name for name, ways in table["names"].items() for way in ways}
    return frozenset(table["not_alone"]), frozenset(table["skipped"]), names


def issuer_key(name: str) -> str:
    """The issuer as far as the name alone tells: its first words without case, accents and punctuation.

    >>> issuer_key("BlackRock Global Funds - World Gold Fund A2"), issuer_key("BGF World Technology Fund A2 EUR")
    ('BlackRock', 'BlackRock')
    >>> issuer_key("LAMDA DEVELOPMENT S.A. (CR)"), issuer_key("Hellenic Petroleum"), issuer_key("ΔΗΛΟΣ ΜΙΚΤΟ")
    ('lamda', 'HELLENiQ Energy', 'Delos')
    """
    not_alone, skipped, names = _rules()
    words = _words(_CODE.sub("", name))
    while len(words) > 1 and words[0] in skipped:
        words = words[1:]
    key = words[0] if words else ""
    for word in words[1:]:
        last = key.split()[-1]
        if key in names or (len(last) > 1 and last not in not_alone | _LINKING):
            break
        key = f"{key} {word}"
    return names.get(key, key)


def _words(name: str) -> list[str]:
    """Lower-case Latin words of letters and digits; initials stand together (J.P. Morgan: jp, morgan)."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    words = re.findall(r"[^\W_]+", plain.translate(_GREEK))
    joined: list[str] = []
    for at, word in enumerate(words):
        if len(word) == 1 and at and len(words[at - 1]) == 1:
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def shared_issuers(names: pd.Series[Any], since: pd.Series[Any]) -> pd.DataFrame:
    """Issuers that at least two assets share, each from the day on which the second of them appears.

    A later asset changes nothing about earlier days: an issuer's name comes from its first asset's.

    Args:
        names: the assets' names; null where unknown.
        since: datetimes, the day on which each asset is first known; same index.

    Returns:
        A frame with the index of `names`, for the assets that share an issuer: issuer, as_of (the asset's own day)
        and known_at (from when on the issuer is shared).
    """
    known = pd.DataFrame({"name": names, "as_of": since})[names.notna()]
    known["key"] = known["name"].map(issuer_key)
    known = known[known["key"] != ""]
    ordered = known.sort_values(["as_of", "name"], kind="stable")
    by_key = ordered.groupby("key")
    label = by_key["name"].first()
    ordered["second"] = ordered["as_of"].where(by_key.cumcount() == 1).groupby(ordered["key"]).transform("min")
    shared = ordered.loc[known.index].dropna(subset=["second"])
    return pd.DataFrame(
        {
            "issuer": [_display(key, label[key]) for key in shared["key"]],
            "as_of": shared["as_of"],
            "known_at": shared["as_of"].where(shared["as_of"] > shared["second"], shared["second"]),
        },
        index=shared.index,
    )


def _display(key: str, name: str) -> str:
    """The issuer as a person writes it: the given name, or the first asset's own words, not all in capitals.

    >>> _display("lamda", "LAMDA DEVELOPMENT S.A. (CR)"), _display("star bulk", "Star Bulk Carriers Corp")
    ('Lamda', 'Star Bulk')
    """
    if key in _rules()[2].values():
        return key
    written = {"".join(_words(word)): word for word in re.findall(r"[^\W_]+", name)}
    words = [written.get(word, word) for word in key.split()]
    shouted = [word.islower() or (word.isupper() and len(word) > 3) for word in words]
    return " ".join(word.capitalize() if loud else word for word, loud in zip(words, shouted, strict=True))
