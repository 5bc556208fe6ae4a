// parameter signal text = modelled_volatility
// parameter most integer = 20
// parameter as_of date = today
// example: most=10
MATCH (a:Asset)-[f:HAS_FACT]->(:Metric {id: $signal})
WHERE f.current_from <= $as_of < f.current_until
OPTIONAL MATCH (a)-[r:HAS_FACT]->(:Metric {id: $signal + '_rank'})
WHERE r.current_from <= $as_of < r.current_until
OPTIONAL MATCH (a)-[b:HAS_FACT]->(:Metric {id: $signal + '_record'})
WHERE b.current_from <= $as_of < b.current_until
RETURN a.id AS asset, a.name AS name, f.value AS value, f.qualifier AS unit, r.value AS rank, r.qualifier AS among,
       b.value AS record, f.as_of AS as_of, f.source AS source
ORDER BY value DESC, asset LIMIT $most
