// title: Changes of a fund
// title zh-TW: 基金持股的變動
// sentence: What a fund bought, sold and weighs otherwise on a later day than on an earlier one.
// sentence zh-TW: 基金在較晚日期相對於較早日期買進、賣出與調整權重的標的。
// parameter fund text: the fund's id
// parameter since date: the earlier day
// parameter as_of date = today: the later day
// example: fund=F since=2024-06-30
MATCH (f:Fund {id: $fund})-[i:INVESTS_IN]->(a:Asset)
WHERE (i.current_from <= $since < i.current_until) OR (i.current_from <= $as_of < i.current_until)
WITH a,
     [x IN collect(i) WHERE x.current_from <= $since < x.current_until][0] AS old,
     [x IN collect(i) WHERE x.current_from <= $as_of < x.current_until][0] AS new
WITH a, old, new, CASE WHEN old IS NULL THEN 'added' WHEN new IS NULL THEN 'left' ELSE 'changed' END AS change
WHERE change <> 'changed' OR old.weight <> new.weight
RETURN a.id AS asset, a.name AS name, change, old.weight AS weight_before, new.weight AS weight_after,
       coalesce(new.weight, 0.0) - coalesce(old.weight, 0.0) AS difference
ORDER BY abs(difference) DESC, asset
