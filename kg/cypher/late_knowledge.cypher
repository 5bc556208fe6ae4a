// parameter asset text
// parameter days integer = 30
// parameter as_of date = today
// example: asset=F days=10
MATCH (a:Asset {id: $asset})-[r]->(b)
WHERE r.current_from <= $as_of AND r.known_at > r.as_of + duration({days: $days})
RETURN type(r) AS relation, b.id AS to, r.as_of AS as_of, r.known_at AS known_at,
       duration.inDays(r.as_of, r.known_at).days AS days_late
ORDER BY days_late DESC, relation, to, as_of
