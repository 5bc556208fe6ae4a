// title: Look-through exposure to an asset
// title zh-TW: 穿透後的單一資產曝險
// sentence: How much of an investor's portfolio is one stock, fund or bond, held directly and through funds, also funds of funds; a holding without a weight counts as an equal share.
// sentence zh-TW: 投資組合中某檔股票、基金或債券所占比例，含直接持有與透過基金（包括組合型基金）持有；權重不明的部位視為等權。
// parameter investor text: the investor's id
// parameter asset text: the asset's id
// parameter as_of date = today: as it was known on this day
// example: investor=U1 asset=A
MATCH (u:User {id: $investor})-[h:HOLDS]->(held:Asset)
WHERE h.current_from <= $as_of < h.current_until
WITH collect([held, h.weight]) AS holdings
UNWIND holdings AS holding
WITH holding[0] AS held, coalesce(holding[1], 1.0 / size(holdings)) AS share
MATCH p = (held)-[:INVESTS_IN*0..3]->(a:Asset)
WHERE a.id = $asset AND all(step IN relationships(p) WHERE step.current_from <= $as_of < step.current_until)
RETURN [n IN nodes(p) | n.id] AS through, share AS weight_of_holding,
       reduce(w = share, step IN relationships(p) | w * step.weight) AS exposure
ORDER BY exposure DESC, through
