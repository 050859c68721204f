"""What wraps a store without its knowing: retries, limits, faults. Each is a full ObjectStore."""
