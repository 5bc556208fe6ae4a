"""The signal lab: what models say of an asset's return, volatility or beta, with their track record.

A signal is a fact of an asset with model, date, horizon and record; it never enters the score. `Panel` holds the data,
`labels` what is to be foretold, `splits` who may learn from what, `registry` the models, `evaluate` their record.
"""
