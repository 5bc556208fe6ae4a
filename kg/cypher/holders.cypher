// title: Investors who hold an asset
// title zh-TW: 持有某資產的投資人
// sentence: Who holds an asset directly, the largest weights first.
// sentence zh-TW: 直接持有某資產的投資人，權重最大者在前。
// parameter asset text: the asset's id
// parameter most integer = 100: how many investors to list
// parameter as_of date = today: as it was known on this day
// example: asset=A
MATCH (a:Asset {id: $asset})<-[h:HOLDS]-(u:User)
WHERE h.current_from <= $as_of < h.current_until
RETURN u.id AS investor, u.name AS name, h.weight AS weight, h.value AS units, h.as_of AS as_of
ORDER BY coalesce(weight, -1.0) DESC, coalesce(units, -1.0) DESC, investor LIMIT $most
