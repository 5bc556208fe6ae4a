// parameter investor text
// parameter least integer = 2
// parameter most integer = 20
// parameter as_of date = today
// example: investor=U1 least=1
MATCH (u:User {id: $investor})-[h:HOLDS]->(a:Asset)
WHERE h.current_from <= $as_of < h.current_until
WITH u, collect(a) AS mine
UNWIND mine AS a
MATCH (a)<-[o:HOLDS]-(other:User)
WHERE o.current_from <= $as_of < o.current_until AND other.id <> $investor
WITH other, size(mine) AS mine, count(*) AS common
WHERE common >= $least
WITH other, mine, common ORDER BY common DESC, other.id LIMIT 1000
MATCH (other)-[t:HOLDS]->(:Asset)
WHERE t.current_from <= $as_of < t.current_until
WITH other, mine, common, count(*) AS theirs
RETURN other.id AS investor, common, theirs, toFloat(common) / (mine + theirs - common) AS similarity
ORDER BY similarity DESC, investor LIMIT $most
