// title: Paths between two entities
// title zh-TW: 兩個實體之間的路徑
// sentence: The shortest ways from one entity to another through what was current on a day, of four steps at most.
// sentence zh-TW: 依某日的現行關係，從一個實體到另一個實體的最短路徑，最多四步。
// parameter a text: id of an investor, asset, industry, sector, issuer, category, market or country
// parameter b text: id of another
// parameter most integer = 20: how many paths to list
// parameter as_of date = today: as it was known on this day
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
