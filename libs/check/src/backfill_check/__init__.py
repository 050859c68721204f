"""Checks an archive independently of what copied and verified it."""
