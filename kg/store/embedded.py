"""The embedded graph server, in a process of its own: `python -m pathfolio.kg.store.embedded`. It alone imports it.

It is an ArcadeDB, which speaks Bolt and Cypher, bound to the loopback interface. `pathfolio.kg.store.server` starts it,
hands it its settings in one line of JSON on standard input, and ends it by closing that. A process of its own because a
query that cannot be stopped must not stop us: a watch ends what an analyst's time is up for, and the whole process
where the engine does not heed that.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

DATABASE: Final = "graph"
WRITER: Final = "root"
READER: Final = "analyst"
EXIT_STUCK: Final = 75

_LIMIT: Final = re.compile(r"(?:PROFILE )?/\* (\d+(?:\.\d+)?) s \*/")
_WATCH_SECONDS: Final = 0.1
_HEED_SECONDS: Final = 0.4
"""How long the engine may take to heed that a query shall end."""


@dataclass(frozen=True)
class ServerSettings:
    """What the server needs to know.

    Attributes:
        folder: where its data are; made where it is absent.
        port, http_port: of the loopback interface; the engine cannot do without the second.
        writer_password, reader_password: of the users `WRITER` and `READER`.
        seconds: how long a query of the reader may run.
        heap: the most memory for Java's objects, as Java writes it.
        ready: a file that is written when the server answers.
    """

    folder: str
    port: int
    http_port: int
    writer_password: str
    reader_password: str
    seconds: float
    ready: str
    heap: str = "1g"


_GROUPS: Final = {
    "admin": (["updateSecurity", "updateSchema", "updateDatabaseSettings"], ["create", "read", "update", "delete"]),
    READER: ([], ["read"]),
    "*": ([], []),
}


def _write_groups(folder: Path) -> None:
    """The groups of users: one that may do everything, one that may read, one for everybody else."""
    groups = {
        name: {
            "resultSetLimit": -1,
            "readTimeout": -1,
            "access": access,
            "types": {"*": {"access": [f"{verb}Record" for verb in verbs]}},
        }
        for name, (access, verbs) in _GROUPS.items()
    }
    path = folder / "config" / "server-groups.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"databases": {"*": {"groups": groups}}, "version": 2}), encoding="utf-8")


def _configuration(settings: ServerSettings) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "mode": "development",
        "server_plugins": "Bolt:com.arcadedb.bolt.BoltProtocolPlugin",
        "bolt_port": settings.port,
        "bolt_defaultDatabase": DATABASE,
        "http_port": settings.http_port,
        "opencypher_loadCsv_allowFileUrls": False,
        "opencypher_loadCsv_allowRemoteUrls": False,
        "serverMetrics": False,
    }


def _start(settings: ServerSettings) -> Any:
    import jpype
    from arcadedb_embedded.server import ArcadeDBServer

    _write_groups(Path(settings.folder))
    jvm = {"heap_size": settings.heap, "jvm_args": "-XX:+ExitOnOutOfMemoryError"}
    server = ArcadeDBServer(settings.folder, settings.writer_password, _configuration(settings), jvm)
    server.start()
    server.create_database(DATABASE)
    java = server._java_server  # the binding has no other way to users and running queries
    _add_reader(jpype, java.getSecurity(), settings.reader_password)
    threading.Thread(target=_watch, args=(java.getRunningQueries(), settings.seconds), daemon=True).start()
    return server


def _add_reader(jpype: Any, security: Any, password: str) -> None:
    json_object = jpype.JClass("com.arcadedb.serializer.json.JSONObject")
    json_array = jpype.JClass("com.arcadedb.serializer.json.JSONArray")
    if security.existsUser(READER):
        security.dropUser(READER)
    databases = json_object().put(DATABASE, json_array().put(READER))
    user = json_object().put("name", READER).put("password", security.encodePassword(password))
    security.createUser(user.put("databases", databases))


def with_limit(text: str, seconds: float) -> str:
    """The query with a comment in front that tells the watch how long it may run, if that is less than others may.

    >>> with_limit("RETURN 1", 2.5), with_limit("PROFILE RETURN 1", 2.5)
    ('/* 2.5 s */RETURN 1', 'PROFILE /* 2.5 s */RETURN 1')
    """
    profile = "PROFILE " if text.startswith("PROFILE ") else ""
    return f"{profile}/* {seconds:g} s */{text.removeprefix(profile)}"


def _limit_of(text: str, seconds: float) -> float:
    match = _LIMIT.match(text)
    return min(float(match[1]), seconds) if match else seconds


def _watch(queries: Any, seconds: float) -> None:
    """End the reader's queries that run too long, and the process where one does not heed it."""
    while True:
        time.sleep(_WATCH_SECONDS)
        for query in queries.getRunning():
            if str(query.getUser()) != READER:
                continue
            late = query.getElapsedMillis() / 1000 - _limit_of(str(query.getText()), seconds)
            if late > 0 and not query.isTerminated():
                query.terminate("its time is up")
            elif late > _HEED_SECONDS and not query.isEnded():
                os._exit(EXIT_STUCK)


def main() -> None:
    """Serve until standard input ends."""
    settings = ServerSettings(**json.loads(sys.stdin.readline()))
    server = _start(settings)
    ready = Path(settings.ready)
    ready.write_text(str(os.getpid()), encoding="ascii")
    try:
        sys.stdin.read()
    finally:
        ready.unlink(missing_ok=True)
        server.stop()


if __name__ == "__main__":
    main()
