"""Copies a segment of a bag to the new location, hashing as it goes."""
