"""The ledger: PostgreSQL holds the truth. Messages are hints about it.

Every module here takes an open SQLAlchemy connection and leaves the transaction to its caller; time is the
database's (`clock_timestamp()`), never the worker's.
"""
