"""What visitors send: what no page can take is answered with 400 and its reason, in time that grows as it is long."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from pathfolio.explain.ledger.ledger import Ledger
from pathfolio.explain.records.adviser import Adviser
from pathfolio.explain.records.desk import Desk
from pathfolio.kg.errors import UsageError
from pathfolio.kg.store.parameters import free_parameters
from pathfolio.recommender.build import Build
from pathfolio.web.site import create_app
from pathfolio.web.site.access import guard
from pathfolio.web.site.access.samples import sample_access
from pathfolio.web.site.graph.desk import GraphDesk
from pathfolio.web.site.request_limits import LONGEST_TEXT, MOST_IN_JSON, MOST_VALUES
from pathfolio.web.site.what_if_json import MOST_NAMED
from tests.linear import MOST, growth
from tests.web.site_pages import investors


@pytest.fixture(scope="module")
def app_client(build: Build) -> FlaskClient:
    app = create_app(build)
    app.config["TESTING"] = True
    return app.test_client()


@pytest.fixture
def client(app_client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    monkeypatch.setattr(GraphDesk, "start", lambda self: None)  # nothing here gets as far as a store
    yield app_client


BODIES = {
    "half a character": (r'{"%s": ["\ud800"]}', "U+D800"),
    "half a character in a key": (r'{"\udc00%s": 1}', "U+DC00"),
    "an end of text": (r'{"%s": "a\u0000b"}', "U+0000"),
    "a number beyond 64 bits": ('{"%s": 9223372036854775808}', "9223372036854775808"),
    "a negative one": ('{"%s": [[-9223372036854775809]]}', "-9223372036854775809"),
    "infinity": ('{"%s": 1e999}', "inf"),
    "no number": ('{"%s": NaN}', "nan"),
    "a long text": ('{"%s": "' + "x" * LONGEST_TEXT * 17 + '"}', "34,000"),
    "many values": ('{"%s": [' + "0," * MOST_IN_JSON + "0]}", "20,000"),
    "many levels": ('{"%s": ' + "[" * 30 + "]" * 30 + "}", "20"),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize(
    ("url", "key"),
    [("/api/what-if", "user_id"), ("/api/what-if", "follow"), ("/api/questionnaire", "profile"), ("/graph", "query"),
     ("/graph", "name"), ("/graph", "parameters")],
)  # fmt: skip
def test_json_that_nothing_can_hold_is_refused(client: FlaskClient, url: str, key: str, name: str) -> None:
    text, said = BODIES[name]
    answer = client.post(url, data=text.replace("%s", key), content_type="application/json")
    assert answer.status_code == 400, answer.text[:200]
    assert said in answer.get_json()["error"]


def test_the_reason_is_told_in_the_readers_language(client: FlaskClient) -> None:
    answer = client.post("/api/what-if?lang=zh-TW", data=r'{"user_id": "\ud800"}', content_type="application/json")
    assert "user_id 的第 1 個字元是 U+D800" in answer.get_json()["error"]
    assert "user_id 有 3,000 個字元" in client.get(f"/?user_id={'x' * 3000}").text
    client.get("/?lang=en")


@pytest.mark.parametrize("body", ["[" * 100_000, '{"parameters":' * 5000, "", "null", "\ufeff{}"])
def test_what_is_no_json_object_is_refused_by_the_console(client: FlaskClient, body: str) -> None:
    assert client.post("/graph", data=body.encode(), content_type="application/json").status_code == 400


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a=99999999999999999999"], "beyond 64 bits"),
        (["a:integer=-9223372036854775809"], "beyond 64 bits"),
        (["a=[1, [9223372036854775808]]"], "beyond 64 bits"),
        (["a=Infinity"], "beyond 64 bits"),
        (["a:number=nan"], "beyond 64 bits"),
        (["a:list=" + "[" * 100_000], "is no list"),
    ],
)
def test_parameters_are_what_a_store_can_hold(words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        free_parameters(words)
    assert free_parameters(["a=9223372036854775807", "b=" + "[" * 100_000])["a"] == 2**63 - 1


@pytest.mark.parametrize("url", ["/", "/search", "/questionnaire", "/records", "/assets/none"])
def test_an_address_holds_so_many_values_of_such_a_length(client: FlaskClient, url: str) -> None:
    assert client.get(url, query_string={"q": "x" * (LONGEST_TEXT + 1)}).status_code == 400
    assert client.get(url, query_string={"q": ["x"] * (MOST_VALUES + 1)}).status_code == 400
    assert client.get(url, query_string={"q": "a\0b"}).status_code == 400
    assert client.get(f"/investors/{'x' * 3000}").status_code == 400


def test_so_many_answers_make_a_question(client: FlaskClient) -> None:
    answer = client.post("/api/what-if", json={"profile": {"interests": ["Banks"] * (MOST_NAMED + 1)}})
    assert (answer.status_code, answer.get_json()) == (400, {"error": "51 answers: give 50 at most"})


@pytest.mark.parametrize("piece", ["a ", "%EF%B7%BA", "%CC%81%CC%96", "&q=a", ",", ";q=", "(", "\\", '"', "=", "zh;"])
def test_reading_a_request_takes_time_as_it_is_long(client: FlaskClient, piece: str) -> None:
    """Whatever reads headers and addresses, ours or a library, up to what the server lets through."""

    def asked(text: str) -> None:
        header = text.replace("%", "x")
        for name in ("Accept", "Accept-Language", "Cookie", "Authorization", "If-None-Match", "Range", "Content-Type"):
            client.get("/sign-in", headers={name: header})
        client.get(f"/search?q={text.replace(' ', '+')}")

    asked("warm")
    assert growth(asked, lambda size: piece * (size // len(piece)), 64 * 1024) < MOST


# -- how often ------------------------------------------------------------------------------------------------


def test_what_ifs_are_counted_by_account_and_told_how_many_there_may_be(
    adviser: Adviser, build: Build, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "WHAT_IFS", "3 per minute; 600 per hour")
    own = investors(build)[1]
    access = sample_access(own)
    assert access.accounts is not None
    tokens = {name: access.accounts.new_token(name) for name in ("investor", "analyst")}
    client = create_app(build, access, desk=Desk(adviser, ledger)).test_client()

    def asked(method: str, url: str, account: str = "investor", **more: object) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {tokens[account]}"}
        answer = client.open(url, method=method, headers=headers, **more)  # type: ignore[arg-type]
        return answer.status_code, answer.text

    assert [asked("GET", "/questionnaire")[0] for _ in range(5)] == [200] * 5
    assert asked("POST", "/api/what-if", json={"user_id": own})[0] == 200
    assert asked("GET", f"/investors/{own}/what-if")[0] == 200
    assert asked("GET", "/questionnaire?horizon=3")[0] == 200
    recorded = len(ledger.headers(kinds=["what-if"]))
    code, text = asked("POST", "/api/questionnaire", json={})
    assert code == 429
    assert (
        json.loads(text)["remedy"] == "At most 3 a minute are answered for one account or address. Wait and try again."
    )
    assert "每分鐘最多受理 3 次" in asked("GET", "/questionnaire?horizon=3&lang=zh-TW")[1]
    assert len(ledger.headers(kinds=["what-if"])) == recorded == 3
    assert asked("POST", "/api/questionnaire", "analyst", json={})[0] == 200
    assert asked("GET", f"/investors/{own}")[0] == 200
