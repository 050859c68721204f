"""Asks what a service may do before it has to: one question for each right that it needs."""
