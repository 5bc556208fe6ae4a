"""Queries that only read, and ask for more than anybody should get: time, memory, a parser's stack."""

from __future__ import annotations

# These read only, and ask for more than anybody should get; what a server could not stop is refused beforehand.
TOO_MUCH = r"""
UNWIND range(1, 1000000000) AS x RETURN count(x)
UNWIND range(1, 6000000) AS x UNWIND range(1, 6000000) AS y RETURN count(*)
UNWIND range(1, 6000000) AS x UNWIND range(1, 6000000) AS y WITH x, y WHERE x + y < 0 RETURN x
MATCH (a)--(b)--(c)--(d)--(e)--(f)--(g)--(h)--(i)--(j) RETURN count(DISTINCT a.id + j.id)
MATCH p = (a)-[*1..30]-(b) RETURN max(length(p))
MATCH p = (a:User {id: 'U1'})-[*]-(b:User {id: 'U2'}) RETURN length(p) ORDER BY length(p) DESC LIMIT 1
MATCH (a), (b), (c), (d), (e), (f), (g), (h) WHERE a.id + b.id + c.id + h.id = 'x' RETURN count(*)
RETURN reduce(s = 0, x IN range(1, 1000000000) | s + x) AS s
RETURN reduce(s = 0, x IN range(1, 9000) | s + reduce(q = 0, y IN range(1, 9000) | q + y)) AS s
RETURN [x IN range(1, 1000000000) | 'aaaaaaaa'] AS list
RETURN size([x IN range(1, 9000) | [y IN range(1, 9000) | x * y]]) AS s
WITH range(1, 1000) AS l RETURN any(a IN l WHERE any(b IN l WHERE any(c IN l WHERE a + b + c < 0))) AS x
WITH 1000000000 AS n RETURN reduce(s = 0, x IN range(1, n) | s + x) AS s
WITH range(1, 1000000000) AS l RETURN reduce(s = 0, x IN l | s + x) AS s
RETURN reduce(s = 0, x IN range(1, 10 ^ 9) | s + x) AS s
RETURN reduce(s = 0, x IN range(1, toInteger('1000000000')) | s + x) AS s
RETURN reduce(s = 0, x IN range(1, 0x7fffffff) | s + x) AS s
RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ '(a+)+$' AS m
RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ '((a+))+$' AS m
RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ '(a|aa)+$' AS m
RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ '.*.*.*.*.*.*.*=$' AS m
RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ ('(a+)' + '+$') AS m
WITH '(a+)+$' AS p RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ p AS m
UNWIND range(1, 6000000) AS x RETURN x, 'a text that is long enough to fill what there is'
UNWIND range(1, 6000000) AS x RETURN collect(x) AS l
UNWIND range(1, 6000000) AS x WITH x ORDER BY x % 1000, x DESC RETURN x LIMIT 1
MATCH (n) RETURN n.name + reduce(s = 'a', x IN range(1, 40) | s + s) AS s
RETURN size(reduce(s = ['a'], x IN range(1, 40) | s + 1 + s)) AS s
RETURN size(reduce(s = 'a', x IN range(1, 40) | replace(s, 'a', 'aa'))) AS s
RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ '(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)=' AS m
RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaa' =~ 'a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a{24}' AS m
RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ '([a-z]+)*$' AS m
RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ '(a*)*b' AS m
RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ '(.*){9}=' AS m
RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ '(?<x>a+)\\k<x>+=' AS m
RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ '(a+)\\1+=' AS m
RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ '(?=(a+))a*b=' AS m
RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ 'a{0,}a{0,}a{0,}a{0,}a{0,}=' AS m
RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ '(a' + '+)' + '+$' AS m
RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ ('(a' + '+)+$') AS m
MATCH (n) WHERE n.name =~ n.id + '(a+)+' RETURN n
MATCH (n) WHERE any(p IN ['(a+)+$'] WHERE n.name =~ p) RETURN n
WITH [x IN range(1, 1000) | x] AS l RETURN size([a IN l | [b IN l | [c IN l | 1]]]) AS n
UNWIND range(1, 10000) AS x WITH collect(x) AS l RETURN size([a IN l WHERE any(b IN l WHERE a + b < 0)]) AS n
UNWIND range(1, 10000) AS x WITH collect(x) AS l RETURN reduce(s = 0, a IN l | s + size([b IN l WHERE b > a])) AS n
UNWIND range(1, 100000) AS x WITH collect(x) AS l, collect(-x) AS m RETURN none(x IN l WHERE x IN m) AS n
UNWIND range(1, 100000) AS x WITH collect(x) AS l, collect(-x) AS m RETURN size([x IN l WHERE NOT x IN m]) AS n
UNWIND range(1, 100000) AS x WITH collect(toString(x)) AS l RETURN single(x IN l WHERE x IN l) AS n
WITH range(1, 10000) AS l RETURN [x IN l | [y IN l WHERE y = x]] AS n
WITH range(1, 10000) AS l RETURN [x IN l | {x: x, l: l}] AS n
WITH range(1, 10000) AS l RETURN [x IN l | l + x] AS n
WITH range(1, 10000) AS l RETURN all(x IN l WHERE all(y IN l WHERE all(z IN l WHERE x + y + z > 0))) AS n
RETURN [x IN range(1, 10000) | range(1, 10000)] AS l
RETURN [x IN range(1, 10000) | [y IN range(1, 10000) | 'aaaaaaaa']] AS l
RETURN reduce(s = '', x IN range(1, 100000) | s + 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') AS s
RETURN reduce(s = [1], x IN range(1, 60) | s + s) AS s
RETURN reduce(s = 'a', x IN range(1, 60) | s + toUpper(s)) AS s
RETURN range(1, 9223372036854775807) AS l
RETURN range(1, 1e12) AS l
RETURN size(range(0, 2147483647)) AS n
RETURN head(range(1, 2000000000)) AS x
WITH 2000000000 AS n RETURN range(1, n)[0] AS x
UNWIND range(1, 100000000) AS x WITH collect(x) AS l RETURN size(l) AS n
UNWIND range(1, 100000000) AS x RETURN DISTINCT x % 99999999 AS y ORDER BY y LIMIT 1
UNWIND range(1, 3000) AS x UNWIND range(1, 3000) AS y UNWIND range(1, 3000) AS z RETURN max(x * y * z) AS m
MATCH p = ()-[*]-() RETURN count(p) AS n
MATCH p = ()-[*1..20]-()-[*1..20]-() RETURN count(p) AS n
MATCH p = ((a)--(b)){1,20} RETURN count(p) AS n
MATCH p = ALL SHORTEST (a)-[*]-(b)-[*]-(c) RETURN count(p) AS n
"""

DEEP = [f"RETURN {'(' * 5000}1{')' * 5000}", f"RETURN {'[' * 5000}1{']' * 5000}", "RETURN " + "1+" * 60_000 + "1"]
"""Made to exhaust a parser's stack."""

_LIST, _TEXT = "WITH range(1, 10000) AS l ", "WITH 'aaaaaaaaaa' AS s "
_TWICE = "WITH l + l AS l " * 17
GROWING = [
    f"{_LIST}{_TWICE}RETURN reduce(s = 0, x IN l | s + x) AS s",
    f"{_LIST}{_TWICE}RETURN size(l) AS n",
    f"{_LIST}{_TWICE}RETURN 0 IN l AS x",
    f"{_LIST}{_TWICE}UNWIND l AS x RETURN count(x) AS n",
    f"{_LIST}{_TWICE}RETURN l = l AS x",
    f"CALL {{ {_LIST}{_TWICE}RETURN l }} RETURN reduce(s = 0, x IN l | s + x) AS s",
    f"{_LIST}{'WITH l || l AS l ' * 17}RETURN last(l) AS x",
    f"{_LIST}{'WITH [l, l] AS l ' * 30}RETURN l = l AS x",
    f"{_LIST}{'WITH [l, l] AS l ' * 30}RETURN l",
    f"{_LIST}{'WITH {match: l, where: l} AS l ' * 30}RETURN l = l AS x",
    f"{_LIST}{'WITH {a: l, b: l} AS l ' * 30}RETURN DISTINCT l",
    f"{_LIST}{'WITH reduce(s = l, x IN l | s + x) AS l ' * 30}RETURN size(l) AS n",
    f"{_LIST}{'WITH CASE WHEN true THEN l + l END AS l ' * 17}RETURN last(l) AS x",
    f"{_LIST}WITH [x IN l | l] AS m WITH [x IN m | m] AS n RETURN n = n AS x",
    f"{_LIST}WITH [x IN l | l[0..]] AS m WITH [x IN m | m[0..]] AS n RETURN n = n AS x",
    f"{_TEXT}{'WITH s + s AS s ' * 32}RETURN size(s) AS n",
    _TEXT + "WITH replace(s, 'a', 'aaaaaaaaaa') AS s " * 9 + "RETURN size(s) AS n",
    "UNWIND range(1, 20000) AS x WITH collect(x) AS l RETURN size([x IN l WHERE -x IN l]) AS n",
    "UNWIND range(1, 20000) AS x WITH collect(x) AS l RETURN any(x IN l WHERE -x IN l) AS n",
    "RETURN size(reduce(s = 0, x IN range(1, 40) | [x] + s + s)) AS n",
    f"RETURN '{'a' * 90_000}' =~ '.*.*.*=' AS m",
    f"WITH '{'a' * 90_000}' AS s RETURN s =~ '.*.*.*=' AS m",
    "WITH {t: reduce(s = '', x IN range(1, 9000) | s + 'aaaa')} AS m RETURN m.t =~ '.*.*.*=' AS m",
    "RETURN toLower(reduce(s = '', x IN range(1, 9000) | s + 'aaaa')) =~ '.*.*.*=' AS m",
]
"""Values that grow within one row, where no server looks at the clock."""
