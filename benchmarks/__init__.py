"""How fast logminer is, beside what its users would do instead: `python -m benchmarks`, or `make bench`."""
