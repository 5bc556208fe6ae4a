// title: Assets without an industry
// title zh-TW: 沒有產業資料的資產
// sentence: Assets of which no industry was known on a day but which investors hold, the most held first.
// sentence zh-TW: 某日沒有已知產業、但有投資人持有的資產，持有人數最多者在前。
// parameter most integer = 100: how many assets to list
// parameter as_of date = today: as it was known on this day
// example: most=10
MATCH (a:Asset)<-[h:HOLDS]-(u:User)
WHERE h.current_from <= $as_of < h.current_until
WITH a, count(*) AS holders
OPTIONAL MATCH (a)-[i:IN_INDUSTRY]->(:Industry)
WHERE i.current_from <= $as_of < i.current_until
WITH a, holders, count(i) AS industries
WHERE industries = 0
RETURN a.id AS asset, a.name AS name, [kind IN labels(a) WHERE kind <> 'Asset'][0] AS kind, holders
ORDER BY holders DESC, asset LIMIT $most
