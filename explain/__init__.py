"""Evidence paths and their contributions, faithfulness, counterfactuals, reasons and the ledger.

How a score becomes an explanation, and where to look:

- `explainer`: `Explainer.explain(account)`, the way in; `tracer` looks up nodes and dated edges, `explanation` is the
  result, which refuses to be wrong about itself, made of the pieces in `evidence`.
- Reasons: each family in reasons/ makes claims of what paths and figures (`facts`, `early`, `scales`) prove, and checks
  them; `reasons.choose` chooses among the claims, `speech` and `wording` put them into a language by its templates.
- checker/ reads every printed sentence back, by patterns that follow from the templates, and has it compared with the
  snapshot.
- formats/ prints: text, HTML, pictures (laid out by `picture`), Cypher; `selection` chooses the paths to show first;
  explanation.schema.json describes the JSON.
- Questions: `counterfactual` (what takes it off the list, what brings it on), asked through `what_if` and told by
  `what_if_text`; `contrast` (why this and not that); `assumed` (lists for an investor as they might be); `place` in a
  list.
- `batch`: the evidence of every list as one table.
- Measured: `evaluation` gathers `faithfulness`, `path_quality` and, on the attention channel, `gat_explainers`.
- ledger/ and records/: what was recommended to whom and why, sealed, verified, replayed.
"""
