// title: Stale facts
// title zh-TW: 過時的數據
// sentence: Metrics of assets whose newest known value describes a day before a given one, the oldest first.
// sentence zh-TW: 最新已知值所述日期早於指定日的資產指標，最舊者在前。
// parameter before date: older than this day
// parameter most integer = 100: how many to list
// parameter as_of date = today: as it was known on this day
// example: before=2024-06-30
MATCH (a:Asset)-[f:HAS_FACT]->(m:Metric)
WHERE f.current_from <= $as_of < f.current_until AND f.as_of < $before
RETURN a.id AS asset, a.name AS name, m.id AS metric, f.value AS value, f.as_of AS as_of, f.source AS source
ORDER BY as_of, asset, metric LIMIT $most
