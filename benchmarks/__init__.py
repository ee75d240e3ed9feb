"""The system's cost in time, memory and money, against the usual way: `make bench` writes `docs/benchmarks.md`."""
