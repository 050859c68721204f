"""What every Backfill service stands on."""
