"""The heterogeneous graph attention network: one layer twice, in DGL and in plain torch."""
