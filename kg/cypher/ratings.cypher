// title: Analysts' ratings of an asset
// title zh-TW: 資產的分析師評等
// sentence: The newest rating of each analyst firm that was known on a day, with its target price in US dollars.
// sentence zh-TW: 某日已知的各研究機構最新評等與目標價（美元）。
// parameter asset text: the asset's id
// parameter as_of date = today: as it was known on this day
// example: asset=A
MATCH (a:Asset {id: $asset})-[r:RATED_BY]->(f:AnalystFirm)
WHERE r.current_from <= $as_of < r.current_until
RETURN f.id AS firm, r.qualifier AS rating, r.value AS target_price, r.as_of AS as_of
ORDER BY as_of DESC, firm
