MATCH (a:Asset {id: $asset})
CALL db.index.vector.queryNodes('pathfolio_asset_embedding', $most + 1, a.embedding) YIELD node AS b, score
WITH b, score WHERE b.id <> $asset
RETURN b.id AS asset, b.name AS name, 2 * score - 1 AS cosine
ORDER BY cosine DESC, asset LIMIT $most
