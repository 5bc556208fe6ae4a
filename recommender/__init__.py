"""Interactions and temporal splits, baselines, the fused score, retrieval, metrics and backtest."""
