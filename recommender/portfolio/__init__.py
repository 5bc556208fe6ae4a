"""Portfolios: what they would have returned, what they consist of, how a sum may be divided, and what drifted."""
