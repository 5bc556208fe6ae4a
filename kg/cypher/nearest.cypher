// title: Assets nearest by embedding
// title zh-TW: 嵌入向量最相近的資產
// sentence: The assets whose embedding points the way most like an asset's own (cosine, from -1 to 1); load the vectors with `pathfolio graph vectors` first.
// sentence zh-TW: 嵌入向量方向與某資產最相近的資產（餘弦，介於 -1 與 1）；請先以 `pathfolio graph vectors` 載入向量。
// parameter asset text: the asset's id
// parameter most integer = 10: how many assets to list
// example: asset=A
MATCH (a:Asset {id: $asset})
MATCH (b:Asset)
WHERE b.id <> $asset AND a.embedding IS NOT NULL AND b.embedding IS NOT NULL
RETURN b.id AS asset, b.name AS name, vector.similarity.cosine(a.embedding, b.embedding) AS cosine
ORDER BY cosine DESC, asset LIMIT $most
