"""Evidence: what was read of every file, and the chain that shows whether anything of it was changed."""
