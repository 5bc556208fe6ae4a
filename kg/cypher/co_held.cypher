// title: What holders of an asset also hold
// title zh-TW: 持有人還持有什麼
// sentence: Assets that at least so many of an asset's holders hold too.
// sentence zh-TW: 某資產的持有人中，至少有指定人數也持有的其他資產。
// parameter asset text: the asset's id
// parameter least integer = 10: the smallest number of common holders
// parameter most integer = 50: how many assets to list
// parameter as_of date = today: as it was known on this day
// example: asset=A least=2
MATCH (a:Asset {id: $asset})<-[h:HOLDS]-(u:User)
WHERE h.current_from <= $as_of < h.current_until
MATCH (u)-[o:HOLDS]->(other:Asset)
WHERE o.current_from <= $as_of < o.current_until AND other.id <> $asset
WITH other, count(*) AS together
WHERE together >= $least
RETURN other.id AS asset, other.name AS name, together
ORDER BY together DESC, asset LIMIT $most
