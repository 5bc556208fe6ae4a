// title: Peers of an asset
// title zh-TW: 同產業的資產
// sentence: The assets of the same industry, with how many investors hold each directly.
// sentence zh-TW: 同一產業的資產，及各有多少投資人直接持有。
// parameter asset text: the asset's id
// parameter most integer = 50: how many assets to list
// parameter as_of date = today: as it was known on this day
// example: asset=A
MATCH (a:Asset {id: $asset})-[i:IN_INDUSTRY]->(industry:Industry)<-[j:IN_INDUSTRY]-(peer:Asset)
WHERE i.current_from <= $as_of < i.current_until AND j.current_from <= $as_of < j.current_until AND peer.id <> $asset
OPTIONAL MATCH (peer)<-[h:HOLDS]-(u:User)
WHERE h.current_from <= $as_of < h.current_until
RETURN industry.id AS industry, peer.id AS asset, peer.name AS name, count(u) AS holders
ORDER BY holders DESC, asset LIMIT $most
