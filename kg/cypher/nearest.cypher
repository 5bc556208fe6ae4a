// parameter asset text
// parameter most integer = 10
// example: asset=A
// needs: vectors
MATCH (a:Asset {id: $asset})
MATCH (b:Asset)
WHERE b.id <> $asset AND a.embedding IS NOT NULL AND b.embedding IS NOT NULL
RETURN b.id AS asset, b.name AS name, 2 * vector.similarity.cosine(a.embedding, b.embedding) - 1 AS cosine
ORDER BY cosine DESC, asset LIMIT $most
