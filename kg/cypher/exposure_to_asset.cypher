// parameter investor text
// parameter asset text
// parameter as_of date = today
// example: investor=U1 asset=A
MATCH (u:User {id: $investor})-[h:HOLDS]->(held:Asset)
WHERE h.current_from <= $as_of < h.current_until
WITH collect([held, h.weight]) AS holdings
UNWIND holdings AS holding
WITH holding[0] AS held, coalesce(holding[1], 1.0 / size(holdings)) AS share
MATCH p = (held)-[:INVESTS_IN*0..3]->(a:Asset)
WHERE a.id = $asset AND all(step IN relationships(p) WHERE step.current_from <= $as_of < step.current_until)
RETURN [n IN nodes(p) | n.id] AS through, share AS weight_of_holding,
       reduce(w = share, step IN relationships(p) | w * step.weight) AS exposure
ORDER BY exposure DESC, through
