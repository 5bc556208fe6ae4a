// parameter asset text
// parameter as_of date = today
// example: asset=A
MATCH (a:Asset {id: $asset})-[r:RATED_BY]->(f:AnalystFirm)
WHERE r.current_from <= $as_of < r.current_until
RETURN f.id AS firm, r.qualifier AS rating, r.value AS target_price, r.as_of AS as_of
ORDER BY as_of DESC, firm
