"""Two towers: investors and assets as vectors whose product ranks; trained in torch, served as arrays."""
