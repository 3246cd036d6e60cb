"""The clock: due windows and reminders, calls and check-ins, requests and needs, campaigns, figures."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

COLUMNS = {  # table: name, type, and what old rows get
    "people": (("guardian_consent_on", sa.Text(), None), ("status_reason", sa.LargeBinary(), None),
               ("status_since", sa.Text(), None), ("digest_at", sa.Text(), None), ("how_much", sa.Text(), None)),
    "elders": (("remind_on", sa.Text(), None), ("open_needs", sa.BigInteger(), "0"),
               ("open_hazards", sa.BigInteger(), "0")),
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for name, kind, default in columns:
            op.add_column(table, sa.Column(name, kind, nullable=default is None, server_default=default))
    reminded = sa.text("remind_on IS NOT NULL")
    asked, running = sa.text("state IN ('open', 'taken')"), sa.text("state IN ('open', 'claimed', 'arrived')")
    op.create_index("posts_area", "posts", ["area_id", "role"])
    op.create_index("elders_remind", "elders", ["remind_on", "id"], sqlite_where=reminded, postgresql_where=reminded)
    op.create_table(
        "courses",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("elder_id", sa.Text(), sa.ForeignKey("elders.id"), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("courses_elder", "courses", ["elder_id", "from_on", "entered_at"])
    moved = sa.text("what = 'village'")
    op.create_index("courses_village", "courses", ["value"], sqlite_where=moved, postgresql_where=moved)
    op.execute(  # what older files say of pauses and ends goes into their courses: of before, nothing is known
        "INSERT INTO courses (id, elder_id, what, from_on, value, entered_at) "
        "SELECT id, id, 'standing', condition_since, status || ' ' || coalesce(condition, ''), 0 FROM elders "
        "WHERE status <> 'active' AND condition_since IS NOT NULL")
    op.create_table(
        "leaves",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("from_on", sa.Text(), nullable=False),
        sa.Column("until_on", sa.Text(), nullable=False),
        sa.Column("stand_in", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("leaves_person", "leaves", ["person_id", "until_on"])
    op.create_index("leaves_until", "leaves", ["until_on"])
    op.create_table(
        "postponements",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("elder_id", sa.Text(), sa.ForeignKey("elders.id"), nullable=False),
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("until_on", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("postponements_person", "postponements", ["person_id", "elder_id", "until_on"])
    op.create_table(
        "ticks",
        sa.Column("sweep", sa.Text(), primary_key=True),
        sa.Column("due", sa.Text(), primary_key=True),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger()),
    )
    op.create_table(
        "quotas",
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("day", sa.Text(), primary_key=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
    )
    op.create_index("quotas_day", "quotas", ["day"])
    op.create_table(
        "call_plans",
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("elder_id", sa.Text(), sa.ForeignKey("elders.id"), primary_key=True),
        sa.Column("weekday", sa.BigInteger(), nullable=False),
        sa.Column("at_time", sa.Text(), nullable=False),
        sa.Column("shares", sa.BigInteger(), nullable=False),
        sa.Column("summaries", sa.Text(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger()),
        sa.Column("answered_at", sa.BigInteger()),
    )
    op.create_index("call_plans_elder", "call_plans", ["elder_id"])
    op.create_index("call_plans_next", "call_plans", ["next_at"])
    op.create_table(
        "tellings",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("elder_id", sa.Text(), sa.ForeignKey("elders.id"), nullable=False),
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("allowed", sa.BigInteger(), nullable=False),
        sa.Column("withheld", sa.Text(), nullable=False),
        sa.Column("on_day", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("tellings_elder", "tellings", ["elder_id", "person_id", "on_day"])
    op.create_table(
        "contacts",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("elder_id", sa.Text(), sa.ForeignKey("elders.id"), nullable=False),
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("on_day", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("words", sa.LargeBinary()),
    )
    op.create_index("contacts_elder", "contacts", ["elder_id", "on_day"])
    op.create_index("contacts_person", "contacts", ["person_id", "elder_id", "at"])
    op.create_table(
        "requests",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("elder_id", sa.Text(), sa.ForeignKey("elders.id"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("urgent", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Text(), nullable=False),
        sa.Column("words", sa.LargeBinary()),
        sa.Column("taken_by", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("done_at", sa.BigInteger()),
        sa.Column("answer", sa.LargeBinary()),
    )
    op.create_index("requests_asker", "requests", ["asked_by", "asked_at"])
    op.create_index("requests_open", "requests", ["elder_id", "due_on"],
                    sqlite_where=asked, postgresql_where=asked)
    op.create_table(
        "needs",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("elder_id", sa.Text(), sa.ForeignKey("elders.id"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("what", sa.LargeBinary()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Text()),
        sa.Column("answerable", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("measure", sa.LargeBinary()),
        sa.Column("outcome", sa.LargeBinary()),
        sa.Column("closed_by", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("closed_at", sa.BigInteger()),
        sa.UniqueConstraint("source", "source_id"),
    )
    op.create_index("needs_open", "needs", ["elder_id"],
                    sqlite_where=sa.text("state <> 'closed'"), postgresql_where=sa.text("state <> 'closed'"))
    op.create_table(
        "check_ins",
        sa.Column("elder_id", sa.Text(), sa.ForeignKey("elders.id"), primary_key=True),
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("at_time", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("check_ins_next", "check_ins", ["next_at"],
                    sqlite_where=sa.text("state = 'on'"), postgresql_where=sa.text("state = 'on'"))
    op.create_index("check_ins_person", "check_ins", ["person_id"])
    op.create_table(
        "alerts",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False, unique=True),
        sa.Column("elder_id", sa.Text(), sa.ForeignKey("elders.id")),
        sa.Column("area_id", sa.Text(), sa.ForeignKey("areas.id"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("raised_by", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.LargeBinary()),
        sa.Column("claimed_by", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("claimed_at", sa.BigInteger()),
        sa.Column("closed_by", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("closed_at", sa.BigInteger()),
        sa.Column("outcome", sa.LargeBinary()),
        sa.Column("next_at", sa.BigInteger()),
    )
    op.create_index("alerts_next", "alerts", ["next_at"],
                    sqlite_where=sa.text("next_at IS NOT NULL"), postgresql_where=sa.text("next_at IS NOT NULL"))
    op.create_index("alerts_elder", "alerts", ["elder_id", "raised_at"])
    op.create_index("alerts_open", "alerts", ["area_id", "raised_at"],
                    sqlite_where=running, postgresql_where=running)
    op.create_table(
        "device_vendors",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False, unique=True),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger()),
    )
    op.create_table(
        "devices",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("vendor_id", sa.Text(), sa.ForeignKey("device_vendors.id"), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("elder_id", sa.Text(), sa.ForeignKey("elders.id")),
        sa.Column("bound_by", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("bound_at", sa.BigInteger()),
        sa.Column("damped_until", sa.BigInteger()),
        sa.Column("last_seen", sa.BigInteger()),
        sa.UniqueConstraint("vendor_id", "serial"),
    )
    op.create_index("devices_elder", "devices", ["elder_id"])
    op.create_table(
        "device_events",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("vendor_id", sa.Text(), sa.ForeignKey("device_vendors.id"), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), sa.ForeignKey("devices.id"), nullable=False),
        sa.Column("elder_id", sa.Text(), sa.ForeignKey("elders.id")),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("reading", sa.LargeBinary()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Text(), sa.ForeignKey("alerts.id")),
        sa.Column("answer", sa.Text()),
        sa.Column("answered_by", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("answered_at", sa.BigInteger()),
        sa.UniqueConstraint("vendor_id", "event_id"),
    )
    op.create_index("device_events_device", "device_events", ["device_id", "received_at"])
    op.create_index("device_events_elder", "device_events", ["elder_id"])
    op.create_index("device_events_alert", "device_events", ["alert_id"],
                    sqlite_where=sa.text("alert_id IS NOT NULL"), postgresql_where=sa.text("alert_id IS NOT NULL"))
    op.create_table(
        "campaigns",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("area_id", sa.Text(), sa.ForeignKey("areas.id"), nullable=False),
        sa.Column("first_on", sa.Text(), nullable=False),
        sa.Column("last_on", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("remote", sa.BigInteger(), nullable=False),
        sa.Column("every_days", sa.BigInteger()),
        sa.Column("within_hours", sa.BigInteger()),
        sa.Column("festival", sa.Text()),
        sa.Column("advice", sa.Text(), nullable=False),
        sa.Column("met_by", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("decided_at", sa.BigInteger()),
        sa.Column("begun_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.UniqueConstraint("area_id", "kind", "first_on", "name"),
    )
    op.create_index("campaigns_area", "campaigns", ["area_id", "last_on"])
    op.create_index("campaigns_state", "campaigns", ["state", "last_on"])
    op.create_table(
        "campaign_reached",
        sa.Column("campaign_id", sa.Text(), sa.ForeignKey("campaigns.id"), primary_key=True),
        sa.Column("elder_id", sa.Text(), sa.ForeignKey("elders.id"), primary_key=True),
        sa.Column("on_day", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
    )
    op.create_index("campaign_reached_elder", "campaign_reached", ["elder_id"])
    op.create_table(
        "figures",
        sa.Column("area_id", sa.Text(), sa.ForeignKey("areas.id"), primary_key=True),
        sa.Column("period", sa.Text(), primary_key=True),
        sa.Column("care_class", sa.Text(), primary_key=True),
        sa.Column("numbers", sa.Text(), nullable=False),
        sa.Column("cut_off", sa.BigInteger(), nullable=False),
        sa.Column("frozen_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("figures_period", "figures", ["period"])
