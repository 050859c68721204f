"""The outside world behind the ports of :mod:`common.ports`."""
