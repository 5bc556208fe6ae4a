// parameter investor text
// parameter since date
// parameter as_of date = today
// example: investor=U1 since=2024-06-30
MATCH (u:User {id: $investor})-[h:HOLDS]->(a:Asset)
WHERE (h.current_from <= $since < h.current_until) OR (h.current_from <= $as_of < h.current_until)
WITH a,
     [x IN collect(h) WHERE x.current_from <= $since < x.current_until][0] AS old,
     [x IN collect(h) WHERE x.current_from <= $as_of < x.current_until][0] AS new
WITH a, old, new,
     CASE WHEN old IS NULL THEN 'added' WHEN new IS NULL THEN 'left' ELSE 'changed' END AS change
WHERE change <> 'changed' OR coalesce(old.weight, -1.0) <> coalesce(new.weight, -1.0)
   OR coalesce(old.value, -1.0) <> coalesce(new.value, -1.0)
RETURN a.id AS asset, a.name AS name, change, old.weight AS weight_before, new.weight AS weight_after,
       old.value AS units_before, new.value AS units_after
ORDER BY change, asset
