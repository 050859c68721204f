"""The table of requirements."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Identity, Index, Integer, Table, Text, func, text

from common.ledger.columns import metadata, timestamp

requirements = Table(
    "requirements",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("location_id", ForeignKey("locations.id"), nullable=False),
    Column("space", Text, comment="empty: every space"),
    Column(
        "heals", Boolean, nullable=False, server_default=text("false"), comment="an audit begins campaigns by itself"
    ),
    Column(
        "heals_at_most", Integer, nullable=False, server_default=text("1000"), comment="bag versions in one campaign"
    ),
    Column("bags_in_flight", Integer, nullable=False, server_default=text("50")),
    timestamp("audited_at", nullable=True),
    Column("missing_bags", BigInteger, comment="as the last audit counted them"),
    Column("missing_bytes", BigInteger),
    Column("failed_bags", BigInteger, comment="missing, and the last attempt failed: the audit leaves them to people"),
    Column("campaign_id", ForeignKey("campaigns.id"), comment="the last campaign that the audit began"),
    Column("created_by", Text, nullable=False),
    timestamp("created_at"),
    Index("uq_requirements_place", "location_id", func.coalesce(text("space"), text("''")), unique=True),
)
