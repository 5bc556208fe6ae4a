// title: Investors with a similar portfolio
// title zh-TW: 投資組合相似的投資人
// sentence: Investors who share at least so many holdings with one, by the share of common holdings in all that either holds (Jaccard).
// sentence zh-TW: 與某投資人至少有指定檔數相同持有的投資人，依共同持有占兩者全部持有的比例（Jaccard）排序。
// parameter investor text: the investor's id
// parameter least integer = 2: the smallest number of common holdings
// parameter most integer = 20: how many investors to list
// parameter as_of date = today: as it was known on this day
// example: investor=U1 least=1
MATCH (u:User {id: $investor})-[h:HOLDS]->(a:Asset)
WHERE h.current_from <= $as_of < h.current_until
WITH u, collect(a) AS mine
UNWIND mine AS a
MATCH (a)<-[o:HOLDS]-(other:User)
WHERE o.current_from <= $as_of < o.current_until AND other.id <> $investor
WITH other, size(mine) AS mine, count(*) AS common
WHERE common >= $least
WITH other, mine, common ORDER BY common DESC, other.id LIMIT 1000
MATCH (other)-[t:HOLDS]->(:Asset)
WHERE t.current_from <= $as_of < t.current_until
WITH other, mine, common, count(*) AS theirs
RETURN other.id AS investor, common, theirs, toFloat(common) / (mine + theirs - common) AS similarity
ORDER BY similarity DESC, investor LIMIT $most
