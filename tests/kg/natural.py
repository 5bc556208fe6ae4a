"""What analysts ask of their own accord: each snippet reads, reaches nothing but the graph, and must be let through."""

from __future__ import annotations

TIME_AND_CHANCE = r"""
RETURN rand() < 1.0 AS x
MATCH (a:Asset) RETURN a.id ORDER BY rand() LIMIT 3
RETURN datetime().year > 2000 AS x
RETURN datetime({epochSeconds: 0}).year AS year
RETURN timestamp() > 0 AS x
RETURN time() IS NOT NULL AS x
RETURN localtime('12:00') AS noon
RETURN localdatetime('2024-05-06T12:00').hour AS hour
RETURN size(randomUUID()) AS n
RETURN date.realtime() >= date('2024-01-01') AS x
RETURN datetime.fromEpoch(0, 0).year AS year
RETURN datetime.truncate('day', datetime('2024-05-06T12:34:56Z')).hour AS hour
RETURN date() - duration({days: 30}) < date() AS x
RETURN duration.inDays(date('2024-01-01'), date('2024-12-31')).days AS days
MATCH (:User)-[h:HOLDS]->() RETURN date.truncate('quarter', h.as_of) AS quarter, count(*) AS n ORDER BY quarter
MATCH (:User)-[h:HOLDS]->() WHERE h.as_of > date($as_of) - duration('P6M') RETURN count(h) AS n
"""

IDENTITY_AND_SCHEMA = r"""
MATCH (n:User) RETURN id(n) AS id ORDER BY id LIMIT 1
MATCH (n:User) RETURN elementId(n) AS id LIMIT 1
MATCH (n) RETURN labels(n)[0] AS label, count(*) AS n ORDER BY n DESC
MATCH ()-[r]->() RETURN type(r) AS relation, count(*) AS n ORDER BY n DESC
MATCH (n:User {id: 'U1'}) RETURN keys(n) AS keys
MATCH (n:User {id: 'U1'}) RETURN properties(n) AS properties
MATCH (n:User {id: 'U1'}) RETURN n {.id, .name} AS map
SHOW INDEXES
SHOW INDEXES YIELD name, type WHERE type = 'RANGE' RETURN name ORDER BY name
SHOW VECTOR INDEXES
SHOW CONSTRAINTS
SHOW CONSTRAINTS YIELD name RETURN count(*) AS n
SHOW FUNCTIONS
SHOW FUNCTIONS YIELD name WHERE name STARTS WITH 'date' RETURN name
SHOW PROCEDURES
SHOW PROCEDURES YIELD name WHERE name STARTS WITH 'db.index' RETURN name
CALL db.info()
CALL db.labels()
CALL db.labels() YIELD label RETURN count(label) AS n
CALL db.relationshipTypes()
CALL db.propertyKeys()
CALL db.schema.visualization()
CALL db.schema.nodeTypeProperties() YIELD nodeLabels, propertyName RETURN nodeLabels, propertyName
PROFILE MATCH (u:User)-[:HOLDS]->(a) RETURN u.id, count(a) AS n
EXPLAIN MATCH (u:User)-[:HOLDS]->(a) RETURN u.id, count(a) AS n
profile match (n) return count(n)
"""

LISTS = r"""
MATCH (u:User)-[:HOLDS]->(a) WITH u, collect(DISTINCT a.id) AS ids RETURN u.id, [x IN ids WHERE x < 'C' | x] AS early
MATCH (a:User {id: 'U1'})-[:HOLDS]->(x) WITH a, collect(DISTINCT x.id) AS xs
  MATCH (b:User)-[:HOLDS]->(y) WHERE b <> a WITH b, xs, collect(DISTINCT y.id) AS ys
  WITH b, size([i IN xs WHERE i IN ys]) AS both, size(xs) AS m, size(ys) AS n
  RETURN b.id AS id, toFloat(both) / (m + n - both) AS jaccard ORDER BY jaccard DESC, id
MATCH (:User)-[h:HOLDS]->() WITH collect(h.weight) AS ws, avg(h.weight) AS mean
  RETURN size([w IN ws WHERE w > mean]) * 1.0 / size(ws) AS share
MATCH (:User)-[h:HOLDS]->() WITH collect(h.weight) AS ws
  WITH ws, reduce(s = 0.0, w IN ws | s + w) / size(ws) AS mean
  RETURN [w IN ws WHERE w > mean | {weight: w, mean: mean}] AS above
MATCH (:User)-[h:HOLDS]->() WITH collect(h.weight) AS ws, avg(h.weight) AS mean
  RETURN sqrt(reduce(s = 0.0, w IN ws | s + (w - mean) ^ 2) / size(ws)) AS spread
MATCH (f:Fund)-[:INVESTS_IN]->(a) WITH f, collect(a.id) AS ids
  MATCH (g:Fund)-[:INVESTS_IN]->(b) WHERE g.id > f.id WITH f, g, ids, collect(b.id) AS others
  RETURN f.id, g.id, [x IN ids WHERE NOT x IN others] AS only ORDER BY f.id, g.id
MATCH (u:User)-[:HOLDS]->(a) WITH u, collect(a.id) AS ids RETURN u.id, any(x IN ids WHERE x IN ['A', 'B']) AS has
MATCH (u:User)-[:HOLDS]->(a) WITH u, collect(a) AS held RETURN u.id, [a IN held | a.name] AS names, size(held) AS n
MATCH (u:User)-[:HOLDS]->(a) WITH u, collect(a.id) AS ids WHERE all(x IN $wanted WHERE x IN ids) RETURN u.id
MATCH (u:User)-[:HOLDS]->(a) WITH u, collect(a.id) AS ids RETURN [x IN ids WHERE x IN $wanted] AS wanted
MATCH (u:User)-[:HOLDS]->(a) WITH u, collect(a.name) AS names RETURN [x IN names WHERE x CONTAINS $part] AS found
MATCH (a:User {id: 'U1'})-[:HOLDS]->(x), (b:User {id: 'U3'})-[:HOLDS]->(y)
  WITH collect(DISTINCT x.id) AS xs, collect(DISTINCT y.id) AS ys RETURN xs + [i IN ys WHERE NOT i IN xs] AS either
MATCH (a:User {id: 'U1'})-[:HOLDS]->(x), (b:User {id: 'U3'})-[:HOLDS]->(y)
  WITH collect(DISTINCT x.id) AS xs, collect(DISTINCT y.id) AS ys
  RETURN [i IN xs WHERE any(j IN ys WHERE j = i)] AS both
MATCH (f:Fund)-[i:INVESTS_IN]->(a) WITH f, i, a ORDER BY i.weight DESC
  WITH f, collect(a.name + ' ' + toString(i.weight))[..3] AS top RETURN f.id, top
MATCH (f:Fund)-[i:INVESTS_IN]->(a) WITH f, collect({id: a.id, weight: i.weight}) AS parts
  RETURN f.id, [p IN parts WHERE p.weight >= 0.3 | p.id] AS big, reduce(h = 0.0, p IN parts | h + p.weight ^ 2) AS hhi
MATCH (u:User)-[:HOLDS]->(a) RETURN u.id, reduce(s = '', x IN collect(a.id) | s + x + ' ') AS text
MATCH (u:User) RETURN u.id, [(u)-[:HOLDS]->(a) | a.id] AS ids
MATCH p = (u:User {id: 'U1'})-[*1..2]->(n) RETURN [x IN nodes(p) | x.id] AS ids, [r IN relationships(p) | type(r)] AS r
RETURN [x IN range(1, 10) WHERE x % 2 = 0 | x * x] AS squares
UNWIND range(1, 5) AS x WITH collect(x) AS xs RETURN [i IN range(0, size(xs) - 2) | xs[i + 1] - xs[i]] AS steps
UNWIND [3, 1, 2] AS x WITH x ORDER BY x WITH collect(x) AS xs RETURN xs[size(xs) / 2] AS median, head(xs), last(xs)
MATCH (u:User)-[:HOLDS]->(a) WITH a, collect(DISTINCT u.id) AS us WHERE size(us) > 1 RETURN a.id, us ORDER BY size(us)
"""

PATTERNS = r"""
MATCH (n:Asset) WHERE n.name =~ '(?i)fund.*' RETURN n.id
MATCH (n:Asset) WHERE n.name =~ '.*(a|pha)$' RETURN n.id
MATCH (n:Asset) WHERE n.name =~ '[A-Z][a-z]{3,9}' RETURN n.id
MATCH (n:Asset) WHERE n.name =~ '(?i).*' + $part + '.*' RETURN n.id
MATCH (n:Asset) WHERE n.name =~ ('(?i).*' + $part + '.*') RETURN n.id
MATCH (n:Asset) WHERE toLower(n.name) =~ '.*alpha.*' RETURN n.id
MATCH (n:Asset) WHERE coalesce(n.name, n.id) =~ 'A.*' RETURN n.id
MATCH (n:Asset) WITH n.name AS name WHERE name =~ 'A.*' RETURN name
MATCH (n:Asset) WHERE any(k IN keys(n) WHERE toString(n[k]) =~ 'A.*') RETURN n.id
MATCH (n:Asset) WHERE n.name =~ '\\w+ \\w+ \\w+ \\w+' RETURN n.id
MATCH (n:Asset) WHERE n.isin =~ '^[A-Z]{2}[A-Z0-9]{9}[0-9]$' RETURN n.id
"""

NAMES_AND_SHAPES = r"""
MATCH (u:User)-[:HOLDS]->(a) RETURN a.id AS set, count(*) AS create ORDER BY set
MATCH (u:User)-[:HOLDS]->(a) WITH collect(a.id) AS set RETURN size(set) AS n
MATCH (u:User)-[:HOLDS]->(a) WITH a.id AS load, count(*) AS use RETURN load, use ORDER BY use DESC, load
MATCH (show:Fund) RETURN show.id AS show
MATCH (u:User) CALL (u) { MATCH (u)-[:HOLDS]->(a) RETURN count(a) AS n } RETURN u.id, n
MATCH (u:User) CALL { WITH u MATCH (u)-[:HOLDS]->(a) RETURN count(a) AS n } RETURN u.id, n
MATCH (u:User) WHERE EXISTS { (u)-[:HOLDS]->(:Fund) } RETURN u.id, COUNT { (u)-[:HOLDS]->() } AS n
MATCH (u:User) RETURN u.id, COLLECT { MATCH (u)-[:HOLDS]->(a) RETURN a.id ORDER BY a.id } AS ids
MATCH p = shortestPath((a:User {id: 'U1'})-[*..4]-(b:User {id: 'U4'})) RETURN length(p) AS n
MATCH (a:Asset) OPTIONAL MATCH (a)<-[h:HOLDS]-(u) RETURN a.id, count(DISTINCT u) AS n ORDER BY n DESC, a.id
MATCH (a)<-[:HOLDS]-(u)-[:HOLDS]->(b) WHERE a.id < b.id RETURN a.id, b.id, count(DISTINCT u) AS n ORDER BY n DESC
MATCH (u:User) RETURN u.id UNION MATCH (a:Asset) RETURN a.id AS `u.id`
MATCH (:User)-[h:HOLDS]->() RETURN percentileCont(h.weight, 0.5) AS median, stDev(h.weight) AS spread
MATCH (u:User)-[h:HOLDS]->(a) RETURN u.id, a.id, round(100 * h.weight, 1) + ' %' AS share
MATCH (a:Asset) RETURN a.id, CASE WHEN a:Fund THEN 'fund' ELSE 'stock' END AS kind
WITH [1.0, 0.0] AS a, [0.0, 1.0] AS b RETURN vector.similarity.cosine(a, b) AS s
MATCH (n) WHERE n:Stock|Fund RETURN count(n) AS n
MATCH (n:Asset) RETURN valueType(n.name) AS type LIMIT 1
"""

BY_KIND = {
    "time and chance": TIME_AND_CHANCE,
    "identity and schema": IDENTITY_AND_SCHEMA,
    "lists": LISTS,
    "patterns": PATTERNS,
    "names and shapes": NAMES_AND_SHAPES,
}

PARAMETERS = {"wanted": ["A", "C"], "part": "a"}


def snippets(kind: str) -> list[str]:
    """The queries of a kind; a line that begins with blanks goes on with the line before."""
    return BY_KIND[kind].strip().replace("\n  ", " ").splitlines()
