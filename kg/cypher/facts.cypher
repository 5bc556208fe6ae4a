// parameter asset text
// parameter as_of date = today
// example: asset=A
MATCH (a:Asset {id: $asset})-[f:HAS_FACT]->(m:Metric)
WHERE f.current_from <= $as_of < f.current_until
RETURN m.id AS metric, f.value AS value, f.qualifier AS unit, f.as_of AS as_of, f.known_at AS known_at, f.source AS source
ORDER BY metric
