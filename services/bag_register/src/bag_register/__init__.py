"""Keeps the record of every bag: what exists, where its verified copies lie, what is missing."""
