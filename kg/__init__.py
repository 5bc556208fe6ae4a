"""The graph: schema, data contract, snapshot, path finding and the graph store."""
