"""How good lists are: frozen folds, daily lists, ablation, audiences; metrics, tables and plots."""
