// parameter issuer text
// parameter most integer = 100
// parameter as_of date = today
// example: issuer=Acme
MATCH (:Issuer {id: $issuer})<-[b:ISSUED_BY]-(a:Asset)
WHERE b.current_from <= $as_of < b.current_until
OPTIONAL MATCH (a)<-[i:INVESTS_IN]-(f:Fund)
WHERE i.current_from <= $as_of < i.current_until
WITH collect(DISTINCT [a, 1.0]) + collect(DISTINCT [f, i.weight]) AS hit
UNWIND hit AS pair
WITH pair[0] AS held, pair[1] AS part WHERE held IS NOT NULL
WITH held, sum(part) AS part
MATCH (held)<-[h:HOLDS]-(u:User)
WHERE h.current_from <= $as_of < h.current_until
WITH u, h, held, part ORDER BY held.id
WITH u, collect([held.id, h.weight, CASE WHEN part > 1.0 THEN 1.0 ELSE part END]) AS hits
MATCH (u)-[h:HOLDS]->(:Asset)
WHERE h.current_from <= $as_of < h.current_until
WITH u, hits, count(*) AS holdings
RETURN u.id AS investor, [x IN hits | x[0]] AS through,
       reduce(s = 0.0, x IN hits | s + coalesce(x[1], 1.0 / holdings) * x[2]) AS affected
ORDER BY affected DESC, investor LIMIT $most
