"""Baselines: what a recommender has to beat, one file per family, each with the paper it follows."""
