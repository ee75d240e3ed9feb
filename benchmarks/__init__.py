"""What this system costs in time, memory and money, beside the usual way: `make bench` writes `docs/benchmarks.md`."""
