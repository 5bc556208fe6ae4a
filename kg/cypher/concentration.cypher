// title: Concentration of a portfolio
// title zh-TW: 投資組合集中度
// sentence: How concentrated an investor's portfolio is: number of holdings, the largest one, the five largest, and the Herfindahl index of their weights; a holding without a weight counts as an equal share.
// sentence zh-TW: 投資人投資組合的集中程度：持有檔數、最大一檔、前五大，以及權重的赫芬達爾指數；權重不明的部位視為等權。
// parameter investor text: the investor's id
// parameter as_of date = today: as it was known on this day
// example: investor=U1
MATCH (u:User {id: $investor})-[h:HOLDS]->(a:Asset)
WHERE h.current_from <= $as_of < h.current_until
WITH collect(h.weight) AS known, count(*) AS holdings
MATCH (u:User {id: $investor})-[h:HOLDS]->(a:Asset)
WHERE h.current_from <= $as_of < h.current_until
WITH holdings, coalesce(h.weight, 1.0 / holdings) AS share
ORDER BY share DESC
WITH holdings, collect(share) AS shares
RETURN holdings, shares[0] AS largest, reduce(s = 0.0, w IN shares[0..5] | s + w) AS five_largest,
       reduce(s = 0.0, w IN shares | s + w * w) AS herfindahl
