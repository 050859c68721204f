"""Thawing within a budget: who waits, who was admitted, and what was asked of the stores."""
