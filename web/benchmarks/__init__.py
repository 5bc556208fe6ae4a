"""The benchmarks: each compares with a named reference in the same run, since machines and days differ."""
