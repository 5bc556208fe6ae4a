// parameter least integer = 1
// parameter most integer = 50
// parameter as_of date = today
// example: least=5
MATCH (f:Fund)-[i:INVESTS_IN]->(a:Asset)
WHERE i.current_from <= $as_of < i.current_until
WITH f, count(*) AS holdings, max(i.weight) AS largest, sum(i.weight) AS covered, sum(i.weight * i.weight) AS herfindahl
WHERE holdings >= $least
RETURN f.id AS fund, f.name AS name, holdings, largest, covered, herfindahl
ORDER BY herfindahl DESC, fund LIMIT $most
