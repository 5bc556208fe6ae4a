"""Evidence paths and their contributions, faithfulness, counterfactuals, reasons and the ledger."""
