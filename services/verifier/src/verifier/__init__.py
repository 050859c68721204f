"""Reads back every byte of a segment and checks it against the bag's manifests."""
