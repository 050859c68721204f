"""Plans a replica and thaws what is frozen of its source."""
