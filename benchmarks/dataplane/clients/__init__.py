"""Programs that copy a workload and check it, each run as a process of its own: ours and those of plain SDKs."""
