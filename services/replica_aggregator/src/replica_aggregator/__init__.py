"""Decides whether a replica is whole."""
