// parameter investor text
// parameter as_of date = today
// example: investor=U1
MATCH (u:User {id: $investor})-[h:HOLDS]->(held:Asset)
WHERE h.current_from <= $as_of < h.current_until
WITH collect([held, h.weight]) AS holdings
UNWIND holdings AS holding
WITH holding[0] AS held, coalesce(holding[1], 1.0 / size(holdings)) AS share
OPTIONAL MATCH (held)-[i:INVESTS_IN]->(inner:Asset)
WHERE i.current_from <= $as_of < i.current_until
WITH coalesce(inner, held) AS a, CASE WHEN inner IS NULL THEN share ELSE share * i.weight END AS exposure
OPTIONAL MATCH (a)-[s:IN_SECTOR]->(sector:Sector)
WHERE s.current_from <= $as_of < s.current_until
RETURN coalesce(sector.id, 'unknown') AS sector, sum(exposure) AS exposure, count(DISTINCT a.id) AS assets
ORDER BY exposure DESC, sector
