"""The daily digest: what happened, how everything stands, what waits for somebody; written even when nothing did."""
