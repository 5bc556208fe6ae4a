// title: Funds with old statements
// title zh-TW: 持股明細過舊的基金
// sentence: Funds whose newest known statement of holdings is from before a given day, the oldest first.
// sentence zh-TW: 最新已知持股明細早於指定日的基金，最舊者在前。
// parameter before date: older than this day
// parameter most integer = 100: how many to list
// parameter as_of date = today: as it was known on this day
// example: before=2024-09-30
MATCH (f:Fund)-[i:INVESTS_IN]->(:Asset)
WHERE i.current_from <= $as_of < i.current_until
WITH f, max(i.as_of) AS statement, count(*) AS holdings
WHERE statement < $before
RETURN f.id AS fund, f.name AS name, statement, holdings
ORDER BY statement, fund LIMIT $most
