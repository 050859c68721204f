"""Accepts ingests and answers for them until they are done."""
