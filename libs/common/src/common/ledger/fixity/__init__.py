"""Copies that are read again: checks, and how healthy each copy was found."""
