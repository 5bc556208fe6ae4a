// parameter before date
// parameter most integer = 100
// parameter as_of date = today
// example: before=2024-09-30
MATCH (f:Fund)-[i:INVESTS_IN]->(:Asset)
WHERE i.current_from <= $as_of < i.current_until
WITH f, max(i.as_of) AS statement, count(*) AS holdings
WHERE statement < $before
RETURN f.id AS fund, f.name AS name, statement, holdings
ORDER BY statement, fund LIMIT $most
