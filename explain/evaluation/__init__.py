"""How good explanations are: faithfulness, sparsity, stability, and other explainers beside ours."""
