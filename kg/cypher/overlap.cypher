// parameter a text
// parameter b text
// parameter as_of date = today
// example: a=F b=G
MATCH (:Fund {id: $a})-[i:INVESTS_IN]->(x:Asset)
WHERE i.current_from <= $as_of < i.current_until
MATCH (:Fund {id: $b})-[j:INVESTS_IN]->(x)
WHERE j.current_from <= $as_of < j.current_until
RETURN x.id AS asset, x.name AS name, i.weight AS weight_a, j.weight AS weight_b,
       CASE WHEN i.weight < j.weight THEN i.weight ELSE j.weight END AS shared
ORDER BY shared DESC, asset
