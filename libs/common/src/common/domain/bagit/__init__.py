"""BagIt (RFC 8493 and the drafts 0.93 to 0.97): strict, streaming, without I/O of its own."""
