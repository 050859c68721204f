"""Object stores: one room per provider, each behind :class:`common.ports.ObjectStore`."""
