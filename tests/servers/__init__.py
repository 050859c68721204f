"""Real servers for tests: started when first asked for, shared by all workers of a run, gone when it ends."""
