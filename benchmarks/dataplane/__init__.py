"""The data plane side by side with its peers: `make bench`. How to read it: docs/explanations/benchmarks.md."""
