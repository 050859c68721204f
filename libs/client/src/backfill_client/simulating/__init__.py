"""`backfill simulate`: what a campaign would take and cost, by the service's own plan on a virtual clock."""
