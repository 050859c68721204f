"""How fast the ingests API answers over a large ledger: `python -m benchmarks.api`."""
