// title: An investor's portfolio
// title zh-TW: 投資人的投資組合
// sentence: What an investor held, as it was known on a day: weights, units and since when.
// sentence zh-TW: 投資人在某日已知的持有部位：權重、單位數與起始日期。
// parameter investor text: the investor's id
// parameter as_of date = today: as it was known on this day
// example: investor=U1
MATCH (u:User {id: $investor})-[h:HOLDS]->(a:Asset)
WHERE h.current_from <= $as_of < h.current_until
RETURN a.id AS asset, a.name AS name, [kind IN labels(a) WHERE kind <> 'Asset'][0] AS kind,
       h.weight AS weight, h.value AS units, h.as_of AS as_of, h.known_at AS known_at, h.source AS source
ORDER BY weight DESC, asset
