// parameter before date
// parameter most integer = 100
// parameter as_of date = today
// example: before=2024-06-30
MATCH (a:Asset)-[f:HAS_FACT]->(m:Metric)
WHERE f.current_from <= $as_of < f.current_until AND f.as_of < $before
RETURN a.id AS asset, a.name AS name, m.id AS metric, f.value AS value, f.as_of AS as_of, f.source AS source
ORDER BY as_of, asset, metric LIMIT $most
