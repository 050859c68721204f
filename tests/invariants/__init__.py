"""Do the promises hold? Looked at from outside: the ledger by plain SQL, the stores by listing and reading.

Shares no code with the services: a mistake of theirs must not be repeated by those who judge them. The names S1 … E2
are those of docs/durability.md.

    install(connection)                             once, before anything happens: the ledger keeps a trail of changes
    violations(connection, stores)                  at any moment: what must hold after every commit
    violations(connection, stores, at_rest=True)    when faults have ended and time enough has passed: everything

`connection` is a psycopg connection that sees the ledger, `stores` holds a `Store` for every location id. Empty means
that every promise holds.
"""

from invariants.checker import Watch, violations
from invariants.ports import Request, Store, Violation, Watched
from invariants.trail import install

__all__ = ["Request", "Store", "Violation", "Watch", "Watched", "install", "violations"]
