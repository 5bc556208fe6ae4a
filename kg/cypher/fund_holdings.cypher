// parameter fund text
// parameter as_of date = today
// example: fund=F
MATCH (f:Fund {id: $fund})-[i:INVESTS_IN]->(a:Asset)
WHERE i.current_from <= $as_of < i.current_until
RETURN a.id AS asset, a.name AS name, i.weight AS weight, i.as_of AS as_of, i.known_at AS known_at, i.source AS source
ORDER BY weight DESC, asset
