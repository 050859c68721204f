"""When to thaw, how much of it, and what it costs: pure rules, the same in the bag warmer and in the simulation."""
