"""What the real services hold in memory at most: a million files, four large ones, and one of 200 GiB."""
