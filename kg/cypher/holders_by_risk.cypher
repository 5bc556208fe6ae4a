// parameter asset text
// parameter as_of date = today
// example: asset=A
MATCH (a:Asset {id: $asset})<-[h:HOLDS]-(u:User)
WHERE h.current_from <= $as_of < h.current_until
OPTIONAL MATCH (u)-[r:HAS_RISK]->(level:RiskLevel)
WHERE r.current_from <= $as_of < r.current_until
RETURN coalesce(level.id, 'unknown') AS risk_level, count(u) AS holders
ORDER BY holders DESC, risk_level
