// title: Overlap of two funds
// title zh-TW: 兩檔基金的重疊
// sentence: What two funds both hold, the weight in each, and the weight that they share, which is the smaller of the two.
// sentence zh-TW: 兩檔基金都持有的標的、各自的權重，以及重疊的權重（兩者中較小者）。
// parameter a text: id of one fund
// parameter b text: id of the other fund
// parameter as_of date = today: as it was known on this day
// example: a=F b=G
MATCH (:Fund {id: $a})-[i:INVESTS_IN]->(x:Asset)
WHERE i.current_from <= $as_of < i.current_until
MATCH (:Fund {id: $b})-[j:INVESTS_IN]->(x)
WHERE j.current_from <= $as_of < j.current_until
RETURN x.id AS asset, x.name AS name, i.weight AS weight_a, j.weight AS weight_b,
       CASE WHEN i.weight < j.weight THEN i.weight ELSE j.weight END AS shared
ORDER BY shared DESC, asset
