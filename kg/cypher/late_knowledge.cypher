// title: What came to be known late
// title zh-TW: 延遲得知的事實
// sentence: Relations of an asset that came to be known more than so many days after the day that they describe.
// sentence zh-TW: 某資產的關係中，得知日期比所述日期晚超過指定天數者。
// parameter asset text: the id of a stock, fund or bond
// parameter days integer = 30: more than so many days
// parameter as_of date = today: as it was known on this day
// example: asset=F days=10
MATCH (a:Asset {id: $asset})-[r]->(b)
WHERE r.current_from <= $as_of AND r.known_at > r.as_of + duration({days: $days})
RETURN type(r) AS relation, b.id AS to, r.as_of AS as_of, r.known_at AS known_at,
       duration.inDays(r.as_of, r.known_at).days AS days_late
ORDER BY days_late DESC, relation, to, as_of
