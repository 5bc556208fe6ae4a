// title: What a fund holds
// title zh-TW: 基金持有什麼
// sentence: A fund's newest statement that was known on a day.
// sentence zh-TW: 某日已知的基金最新持股明細。
// parameter fund text: the fund's id
// parameter as_of date = today: as it was known on this day
// example: fund=F
MATCH (f:Fund {id: $fund})-[i:INVESTS_IN]->(a:Asset)
WHERE i.current_from <= $as_of < i.current_until
RETURN a.id AS asset, a.name AS name, i.weight AS weight, i.as_of AS as_of, i.known_at AS known_at, i.source AS source
ORDER BY weight DESC, asset
