// title: Analysts' ratings of an asset
// sentence: The newest rating of each analyst firm that was known on a day, with its target price in US dollars.
// parameter asset text: the asset's id
// parameter as_of date = today: as it was known on this day
// example: asset=A
MATCH (a:Asset {id: $asset})-[r:RATED_BY]->(f:AnalystFirm)
WHERE r.current_from <= $as_of < r.current_until
RETURN f.id AS firm, r.qualifier AS rating, r.value AS target_price, r.as_of AS as_of
ORDER BY as_of DESC, firm
