// parameter asset text
// parameter most integer = 50
// parameter as_of date = today
// example: asset=A
MATCH (a:Asset {id: $asset})-[i:IN_INDUSTRY]->(industry:Industry)<-[j:IN_INDUSTRY]-(peer:Asset)
WHERE i.current_from <= $as_of < i.current_until AND j.current_from <= $as_of < j.current_until AND peer.id <> $asset
OPTIONAL MATCH (peer)<-[h:HOLDS]-(u:User)
WHERE h.current_from <= $as_of < h.current_until
RETURN industry.id AS industry, peer.id AS asset, peer.name AS name, count(u) AS holders
ORDER BY holders DESC, asset LIMIT $most
