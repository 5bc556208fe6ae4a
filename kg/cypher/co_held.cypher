// parameter asset text
// parameter least integer = 10
// parameter most integer = 50
// parameter as_of date = today
// example: asset=A least=2
MATCH (a:Asset {id: $asset})<-[h:HOLDS]-(u:User)
WHERE h.current_from <= $as_of < h.current_until
MATCH (u)-[o:HOLDS]->(other:Asset)
WHERE o.current_from <= $as_of < o.current_until AND other.id <> $asset
WITH other, count(*) AS together
WHERE together >= $least
RETURN other.id AS asset, other.name AS name, together
ORDER BY together DESC, asset LIMIT $most
