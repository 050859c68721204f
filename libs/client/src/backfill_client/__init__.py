"""The typed client of the Backfill API and the `backfill` command line."""
