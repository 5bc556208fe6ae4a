"""One module per command of `pathfolio`; each has `add_arguments(parser)` and `run(args)`."""
