// parameter most integer = 20
// parameter as_of date = today
// example: most=3
MATCH (u:User)-[h:HOLDS]->(a:Asset)
WHERE h.current_from <= $as_of < h.current_until
WITH a, count(*) AS holders
ORDER BY holders DESC, a.id LIMIT $most
RETURN a.id AS asset, a.name AS name, [kind IN labels(a) WHERE kind <> 'Asset'][0] AS kind, holders
