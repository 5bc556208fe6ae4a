// parameter fund text
// parameter since date
// parameter as_of date = today
// example: fund=F since=2024-06-30
MATCH (f:Fund {id: $fund})-[i:INVESTS_IN]->(a:Asset)
WHERE (i.current_from <= $since < i.current_until) OR (i.current_from <= $as_of < i.current_until)
WITH a,
     [x IN collect(i) WHERE x.current_from <= $since < x.current_until][0] AS old,
     [x IN collect(i) WHERE x.current_from <= $as_of < x.current_until][0] AS new
WITH a, old, new, CASE WHEN old IS NULL THEN 'added' WHEN new IS NULL THEN 'left' ELSE 'changed' END AS change
WHERE change <> 'changed' OR old.weight <> new.weight
RETURN a.id AS asset, a.name AS name, change, old.weight AS weight_before, new.weight AS weight_after,
       coalesce(new.weight, 0.0) - coalesce(old.weight, 0.0) AS difference
ORDER BY abs(difference) DESC, asset
