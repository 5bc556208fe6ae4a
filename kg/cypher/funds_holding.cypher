// title: Funds that hold an asset
// title zh-TW: 持有某資產的基金
// sentence: The funds that hold a stock, bond or fund with at least a given weight.
// sentence zh-TW: 以至少指定權重持有某檔股票、債券或基金的基金。
// parameter asset text: the asset's id
// parameter least number = 0.0: the smallest weight, as a fraction
// parameter as_of date = today: as it was known on this day
// example: asset=A least=0.05
MATCH (a:Asset {id: $asset})<-[i:INVESTS_IN]-(f:Fund)
WHERE i.current_from <= $as_of < i.current_until AND i.weight >= $least
RETURN f.id AS fund, f.name AS name, i.weight AS weight, i.as_of AS as_of, i.known_at AS known_at
ORDER BY weight DESC, fund
