// title: Facts of an asset
// sentence: The newest value of every metric of an asset that was known on a day, with its source.
// parameter asset text: the asset's id
// parameter as_of date = today: as it was known on this day
// example: asset=A
MATCH (a:Asset {id: $asset})-[f:HAS_FACT]->(m:Metric)
WHERE f.current_from <= $as_of < f.current_until
RETURN m.id AS metric, f.value AS value, f.qualifier AS unit, f.as_of AS as_of, f.known_at AS known_at, f.source AS source
ORDER BY metric
