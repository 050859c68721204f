"""The chain of evidence, verified by an implementation of its own: docs/explanations/evidence.md has the format."""
