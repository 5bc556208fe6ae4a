// title: Holders of an asset by risk level
// sentence: How many of an asset's direct holders have each risk level, and how many have none.
// parameter asset text: the asset's id
// parameter as_of date = today: as it was known on this day
// example: asset=A
MATCH (a:Asset {id: $asset})<-[h:HOLDS]-(u:User)
WHERE h.current_from <= $as_of < h.current_until
OPTIONAL MATCH (u)-[r:HAS_RISK]->(level:RiskLevel)
WHERE r.current_from <= $as_of < r.current_until
RETURN coalesce(level.id, 'unknown') AS risk_level, count(u) AS holders
ORDER BY holders DESC, risk_level
