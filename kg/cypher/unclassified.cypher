// parameter most integer = 100
// parameter as_of date = today
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
