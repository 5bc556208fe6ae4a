"""Answers are compressed for whoever takes that, pages to a blurred length; files with their mark are kept for good."""

from __future__ import annotations

import gzip
import re

import brotli
from flask.testing import FlaskClient

from tests.web.plain_site import app, client

__all__ = ["app", "client"]  # fixtures

PAGE = "/investors/INV000002"


def files_of(client: FlaskClient) -> list[str]:
    return list(re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get(PAGE).text))


def test_a_page_is_sent_as_gzip_to_whoever_takes_it(client: FlaskClient) -> None:
    plain = client.get("/")
    assert "Content-Encoding" not in plain.headers
    answer = client.get("/", headers={"Accept-Encoding": "gzip, br"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert answer.headers["Vary"] == plain.headers["Vary"]
    assert gzip.decompress(answer.data) == plain.data
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Content-Encoding" not in client.get("/", headers={"Accept-Encoding": "gzip;q=0, identity"}).headers


def test_the_length_of_a_page_tells_little(client: FlaskClient) -> None:
    lengths = {len(client.get("/", headers={"Accept-Encoding": "gzip"}).data) for _ in range(30)}
    assert len(lengths) > 5


def test_a_list_and_its_files_are_small(client: FlaskClient) -> None:
    """The first view of a list, with every file that it names, is 100 kB at most."""
    taken = {"Accept-Encoding": "gzip, br"}
    sizes = [len(client.get(url, headers=taken).data) for url in (PAGE, *files_of(client))]
    assert sum(sizes) < 100_000
    json = client.get(f"{PAGE}?format=json", headers=taken)
    assert json.headers["Content-Encoding"] == "gzip"


def test_files_with_their_mark_are_kept_for_good_and_others_asked_for_again(client: FlaskClient) -> None:
    for url in files_of(client):
        answer = client.get(url, headers={"Accept-Encoding": "gzip, deflate, br"})
        plain = client.get(url)
        assert (
            answer.headers["Cache-Control"] == plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        )
        if answer.headers.get("Content-Encoding") == "br":
            assert brotli.decompress(answer.data) == plain.data
        else:
            assert len(plain.data) < 600
        for other in (url.partition("?")[0], url.partition("?")[0] + "?v=0000000000"):
            assert "immutable" not in client.get(other).headers["Cache-Control"]


def test_a_file_that_did_not_change_is_not_sent_again(client: FlaskClient) -> None:
    url = next(url for url in files_of(client) if "site.css" in url)
    for taken in ({"Accept-Encoding": "br"}, {}):
        etag = client.get(url, headers=taken).headers["ETag"]
        again = client.get(url, headers={**taken, "If-None-Match": etag})
        assert (again.status_code, again.data) == (304, b"")


def test_what_is_not_there_says_so_compressed_or_not(client: FlaskClient) -> None:
    for url in ("/no", "/static/no.css?v=1"):
        assert client.get(url, headers={"Accept-Encoding": "gzip"}).status_code == 404
    assert client.head(PAGE, headers={"Accept-Encoding": "gzip"}).data == b""
