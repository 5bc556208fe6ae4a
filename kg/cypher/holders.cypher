// parameter asset text
// parameter most integer = 100
// parameter as_of date = today
// example: asset=A
MATCH (a:Asset {id: $asset})<-[h:HOLDS]-(u:User)
WHERE h.current_from <= $as_of < h.current_until
RETURN u.id AS investor, u.name AS name, h.weight AS weight, h.value AS units, h.as_of AS as_of
ORDER BY coalesce(weight, -1.0) DESC, coalesce(units, -1.0) DESC, investor LIMIT $most
