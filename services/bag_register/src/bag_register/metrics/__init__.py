"""Figures for whoever watches: `GET /metrics` in the text format of Prometheus."""
