// parameter investor text
// parameter as_of date = today
// example: investor=U1
MATCH (u:User {id: $investor})-[h:HOLDS]->(a:Asset)
WHERE h.current_from <= $as_of < h.current_until
RETURN a.id AS asset, a.name AS name, [kind IN labels(a) WHERE kind <> 'Asset'][0] AS kind,
       h.weight AS weight, h.value AS units, h.as_of AS as_of, h.known_at AS known_at, h.source AS source
ORDER BY weight DESC, asset
