// title: Concentration of funds
// title zh-TW: 基金集中度
// sentence: The funds whose assets are the most concentrated, by the Herfindahl index of the weights that they publish.
// sentence zh-TW: 依公布權重的赫芬達爾指數，列出持股最集中的基金。
// parameter least integer = 1: the smallest number of holdings
// parameter most integer = 50: how many funds to list
// parameter as_of date = today: as it was known on this day
// example: least=5
MATCH (f:Fund)-[i:INVESTS_IN]->(a:Asset)
WHERE i.current_from <= $as_of < i.current_until
WITH f, count(*) AS holdings, max(i.weight) AS largest, sum(i.weight) AS covered, sum(i.weight * i.weight) AS herfindahl
WHERE holdings >= $least
RETURN f.id AS fund, f.name AS name, holdings, largest, covered, herfindahl
ORDER BY herfindahl DESC, fund LIMIT $most
