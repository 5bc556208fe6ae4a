// parameter asset text
// parameter least number = 0.0
// parameter as_of date = today
// example: asset=A least=0.05
MATCH (a:Asset {id: $asset})<-[i:INVESTS_IN]-(f:Fund)
WHERE i.current_from <= $as_of < i.current_until AND i.weight >= $least
RETURN f.id AS fund, f.name AS name, i.weight AS weight, i.as_of AS as_of, i.known_at AS known_at
ORDER BY weight DESC, fund
