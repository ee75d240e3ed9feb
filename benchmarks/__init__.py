"""What this system costs in time, memory and money, compared with the usual way: `make bench` writes `docs/benchmarks.md`."""
