// title: Holders of an asset by risk level
// title zh-TW: 各風險屬性的持有人數
// sentence: How many of an asset's direct holders have each risk level, and how many have none.
// sentence zh-TW: 某資產的直接持有人中，各風險屬性各有多少人，以及多少人沒有填答。
// parameter asset text: the asset's id
// parameter as_of date = today: as it was known on this day
// example: asset=A
MATCH (a:Asset {id: $asset})<-[h:HOLDS]-(u:User)
WHERE h.current_from <= $as_of < h.current_until
OPTIONAL MATCH (u)-[r:HAS_RISK]->(level:RiskLevel)
WHERE r.current_from <= $as_of < r.current_until
RETURN coalesce(level.id, 'unknown') AS risk_level, count(u) AS holders
ORDER BY holders DESC, risk_level
