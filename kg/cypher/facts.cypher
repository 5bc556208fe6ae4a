// title: Facts of an asset
// title zh-TW: 資產的各項數據
// sentence: The newest value of every metric of an asset that was known on a day, with its source.
// sentence zh-TW: 某日已知的各項指標最新值及其來源。
// parameter asset text: the asset's id
// parameter as_of date = today: as it was known on this day
// example: asset=A
MATCH (a:Asset {id: $asset})-[f:HAS_FACT]->(m:Metric)
WHERE f.current_from <= $as_of < f.current_until
RETURN m.id AS metric, f.value AS value, f.qualifier AS unit, f.as_of AS as_of, f.known_at AS known_at, f.source AS source
ORDER BY metric
