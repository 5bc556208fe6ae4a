"""Knowledge-graph embeddings: training with PyKEEN, labelled vectors, export."""
