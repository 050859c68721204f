"""Campaigns over HTTP: /backfills, and the thread that moves them on."""
