// parameter investor text
// parameter industry text
// parameter as_of date = today
// example: investor=U1 industry=chips
MATCH (u:User {id: $investor})-[h:HOLDS]->(held:Asset)
WHERE h.current_from <= $as_of < h.current_until
WITH collect([held, h.weight]) AS holdings
UNWIND holdings AS holding
WITH holding[0] AS held, coalesce(holding[1], 1.0 / size(holdings)) AS share
MATCH p = (held)-[:INVESTS_IN*0..2]->(a:Asset)
WHERE all(step IN relationships(p) WHERE step.current_from <= $as_of < step.current_until)
WITH a, sum(reduce(w = share, step IN relationships(p) | w * step.weight)) AS exposure, count(*) AS ways
MATCH (a)-[i:IN_INDUSTRY]->(:Industry {id: $industry})
WHERE i.current_from <= $as_of < i.current_until
RETURN a.id AS asset, a.name AS name, exposure, ways
ORDER BY exposure DESC, asset
