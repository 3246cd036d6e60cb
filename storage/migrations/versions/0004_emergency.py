"""Emergencies to their end: groups, who was told, who could be called; and what channels must remember."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

COLUMNS = (("rung", sa.BigInteger(), "0"), ("arrived_at", sa.BigInteger(), None), ("support_at", sa.BigInteger(), None),
           ("drill", sa.BigInteger(), "0"), ("family_by", sa.Text(), None), ("rungs_from", sa.BigInteger(), None),
           ("offered_to", sa.Text(), None), ("alike", sa.BigInteger(), "0"))


def upgrade() -> None:
    for name, kind, default in COLUMNS:
        op.add_column("alerts", sa.Column(name, kind, nullable=default is None, server_default=default))
    op.create_index("alerts_recent", "alerts", ["area_id", "raised_at"])
    op.add_column("requests", sa.Column("late_at", sa.BigInteger()))
    op.execute("UPDATE requests SET late_at = asked_at + 7200000 WHERE urgent = 1")  # two hours, as the policy had it
    late = sa.text("late_at IS NOT NULL")
    op.create_index("requests_late", "requests", ["late_at"], sqlite_where=late, postgresql_where=late)
    op.create_table(
        "groups",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("area_id", sa.Text(), sa.ForeignKey("areas.id")),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("address", sa.LargeBinary()),
        sa.Column("bound_by", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("bound_at", sa.BigInteger()),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("channel", "chat"),
    )
    op.create_index("groups_area", "groups", ["area_id"])
    asking = sa.text("state = 'check_in' AND answer IS NULL")
    op.create_index("device_events_asking", "device_events", ["received_at"], sqlite_where=asking,
                    postgresql_where=asking)
    op.create_table(
        "alert_told",
        sa.Column("alert_id", sa.Text(), sa.ForeignKey("alerts.id"), primary_key=True),
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger()),
        sa.Column("channels", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("next_at", sa.BigInteger()),
    )
    waits = sa.text("next_at IS NOT NULL")
    op.create_index("alert_told_next", "alert_told", ["next_at"], sqlite_where=waits, postgresql_where=waits)
    op.create_index("alert_told_person", "alert_told", ["person_id", "state"])
    op.create_table(
        "alert_contacts",
        sa.Column("alert_id", sa.Text(), sa.ForeignKey("alerts.id"), primary_key=True),
        sa.Column("slot", sa.Text(), primary_key=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("called_by", sa.Text(), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "alert_media",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("alert_id", sa.Text(), sa.ForeignKey("alerts.id"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("media_id", sa.Text(), sa.ForeignKey("media.id")),
        sa.Column("place", sa.LargeBinary()),
        sa.Column("added_by", sa.Text(), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("alert_media_alert", "alert_media", ["alert_id", "added_at"])
    op.create_table(
        "alert_links",
        sa.Column("token_hash", sa.Text(), primary_key=True),
        sa.Column("alert_id", sa.Text(), sa.ForeignKey("alerts.id"), nullable=False),
        sa.Column("group_id", sa.Text(), sa.ForeignKey("groups.id")),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("alert_links_alert", "alert_links", ["alert_id"])
    op.create_table(
        "platform_tokens",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("token", sa.LargeBinary()),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "reply_windows",
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("account", sa.Text(), primary_key=True),
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("left", sa.BigInteger(), nullable=False),
    )
    op.create_index("reply_windows_until", "reply_windows", ["until"])
    op.create_table(
        "send_counts",
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("account", sa.Text(), primary_key=True),
        sa.Column("span", sa.Text(), primary_key=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
    )
    op.create_index("send_counts_since", "send_counts", ["since"])
