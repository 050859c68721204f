"""Server-Sent Events: the histories of ingests and campaigns as they are written."""
