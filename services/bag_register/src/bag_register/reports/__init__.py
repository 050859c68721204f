"""Reports about the whole archive: what is lacking, and how every space and location stand."""
