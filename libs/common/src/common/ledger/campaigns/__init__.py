"""Campaigns in the ledger: selecting bag versions, creating their ingests, letting them in, and counting."""
