// parameter a text
// parameter b text
// parameter most integer = 20
// parameter as_of date = today
// example: a=U1 b=C
CALL { MATCH (n:User {id: $a}) RETURN n AS x UNION MATCH (n:Asset {id: $a}) RETURN n AS x
 UNION MATCH (n:Industry {id: $a}) RETURN n AS x UNION MATCH (n:Sector {id: $a}) RETURN n AS x
 UNION MATCH (n:Issuer {id: $a}) RETURN n AS x UNION MATCH (n:Category {id: $a}) RETURN n AS x
 UNION MATCH (n:Market {id: $a}) RETURN n AS x UNION MATCH (n:Country {id: $a}) RETURN n AS x }
CALL { MATCH (n:User {id: $b}) RETURN n AS y UNION MATCH (n:Asset {id: $b}) RETURN n AS y
 UNION MATCH (n:Industry {id: $b}) RETURN n AS y UNION MATCH (n:Sector {id: $b}) RETURN n AS y
 UNION MATCH (n:Issuer {id: $b}) RETURN n AS y UNION MATCH (n:Category {id: $b}) RETURN n AS y
 UNION MATCH (n:Market {id: $b}) RETURN n AS y UNION MATCH (n:Country {id: $b}) RETURN n AS y }
MATCH p = allShortestPaths((x)-[*..4]-(y))
WHERE all(step IN relationships(p) WHERE step.current_from <= $as_of < step.current_until)
RETURN length(p) AS steps, [n IN nodes(p) | n.id] AS through, [r IN relationships(p) | type(r)] AS relations, p AS path
ORDER BY steps, through, relations LIMIT $most
