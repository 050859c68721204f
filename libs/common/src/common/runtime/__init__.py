"""What makes a step a process: settings, logs, the worker loop, housekeeping, health."""
