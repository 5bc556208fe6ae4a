// title: Most held assets
// title zh-TW: 最多人持有的資產
// sentence: The assets with the most direct holders.
// sentence zh-TW: 直接持有人數最多的資產。
// parameter most integer = 20: how many assets to list
// parameter as_of date = today: as it was known on this day
// example: most=3
MATCH (u:User)-[h:HOLDS]->(a:Asset)
WHERE h.current_from <= $as_of < h.current_until
WITH a, count(*) AS holders
ORDER BY holders DESC, a.id LIMIT $most
RETURN a.id AS asset, a.name AS name, [kind IN labels(a) WHERE kind <> 'Asset'][0] AS kind, holders
