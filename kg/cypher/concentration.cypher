// parameter investor text
// parameter as_of date = today
// example: investor=U1
MATCH (u:User {id: $investor})-[h:HOLDS]->(a:Asset)
WHERE h.current_from <= $as_of < h.current_until
WITH collect(h.weight) AS known, count(*) AS holdings
MATCH (u:User {id: $investor})-[h:HOLDS]->(a:Asset)
WHERE h.current_from <= $as_of < h.current_until
WITH holdings, coalesce(h.weight, 1.0 / holdings) AS share
ORDER BY share DESC
WITH holdings, collect(share) AS shares
RETURN holdings, shares[0] AS largest, reduce(s = 0.0, w IN shares[0..5] | s + w) AS five_largest,
       reduce(s = 0.0, w IN shares | s + w * w) AS herfindahl
