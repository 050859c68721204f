"""Which locations must hold which bags: stating it, auditing it, and making good what is missing."""
