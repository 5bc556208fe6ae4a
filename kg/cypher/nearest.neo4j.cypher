MATCH (a:Asset {id: $asset})
CALL db.index.vector.queryNodes('pathfolio_asset_embedding', $most * 2 + 10, a.embedding) YIELD node AS b, score
WITH a.embedding AS x, b.embedding AS y, b WHERE b.id <> $asset
WITH b, reduce(s = 0.0, i IN range(0, size(x) - 1) | s + x[i] * y[i]) AS dot,
     reduce(s = 0.0, v IN x | s + v * v) AS xx, reduce(s = 0.0, v IN y | s + v * v) AS yy
RETURN b.id AS asset, b.name AS name, dot / sqrt(xx * yy) AS cosine
ORDER BY cosine DESC, asset LIMIT $most
