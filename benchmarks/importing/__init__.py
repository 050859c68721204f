"""How fast bags are imported: a store that makes them up, a ledger, and processes of the register."""
