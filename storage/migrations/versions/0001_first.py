"""The first schema.

Written out, not derived from `storage.tables`: a migration that has run somewhere never changes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")  # compared bytewise


def upgrade() -> None:
    op.create_table(
        "areas",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("parent_id", sa.Text(), sa.ForeignKey("areas.id")),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", BYTEWISE, nullable=False, unique=True),
        sa.UniqueConstraint("parent_id", "name"),
    )
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.Text(), nullable=False),
        sa.Column("mac", sa.Text(), nullable=False),
    )
    op.create_table(
        "forms",
        sa.Column("hash", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
    )
    op.create_table(
        "inbox",
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("dedupe_key", sa.Text(), primary_key=True),
        sa.Column("answer_id", sa.Text()),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "media",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref", sa.LargeBinary()),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("media_waiting", "media", ["channel", "created_at"],
                    sqlite_where=sa.text("body IS NULL"), postgresql_where=sa.text("body IS NULL"))
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fields", sa.LargeBinary()),
        sa.Column("unique_key", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("receipt", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger()),
    )
    op.create_index("outbox_chat", "outbox", ["channel", "chat", "lane", "id"],
                    sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
    op.create_index("outbox_unique_key", "outbox", ["unique_key"], unique=True,
                    sqlite_where=sa.text("unique_key IS NOT NULL"),
                    postgresql_where=sa.text("unique_key IS NOT NULL"))
    op.create_index("outbox_waiting", "outbox", ["lane", "not_before", "id"],
                    sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
    op.create_table(
        "phone_messages",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("phone_messages_at", "phone_messages", ["at"])
    op.create_index("phone_messages_chat", "phone_messages", ["chat", "id"])
    op.create_table(
        "elders",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("village_id", sa.Text(), sa.ForeignKey("areas.id"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("initials", sa.Text(), nullable=False),
        sa.Column("sex", sa.Text()),
        sa.Column("birth", sa.Text()),
        sa.Column("id_number", sa.LargeBinary()),
        sa.Column("id_index", sa.Text(), unique=True),
        sa.Column("phone", sa.LargeBinary()),
        sa.Column("facts", sa.LargeBinary()),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column("ability", sa.Text(), nullable=False),
        sa.Column("disability_grade", sa.BigInteger()),
        sa.Column("registered_on", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("care_class", sa.Text(), nullable=False),
        sa.Column("due_from", sa.Text(), nullable=False),
        sa.Column("due_until", sa.Text(), nullable=False),
        sa.Column("visits_made", sa.BigInteger(), nullable=False),
        sa.Column("earlier_visit_on", sa.Text()),
        sa.Column("last_visit_on", sa.Text()),
        sa.Column("last_home_on", sa.Text()),
        sa.Column("last_screening_on", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("village_id", "number"),
    )
    op.create_index("elders_due", "elders", ["village_id", "due_until"])
    op.create_index("elders_initials", "elders", ["village_id", "initials"])
    op.create_index("elders_name", "elders", ["village_id", "name"])
    op.create_table(
        "people",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("area_id", sa.Text(), sa.ForeignKey("areas.id"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("visitor_kind", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "accounts",
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("account", sa.Text(), primary_key=True),
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("bound_at", sa.BigInteger(), nullable=False),
        sa.Column("blocked_at", sa.BigInteger()),
        sa.Column("menu", sa.LargeBinary()),
    )
    op.create_index("accounts_person", "accounts", ["person_id"])
    op.create_table(
        "assignments",
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("elder_id", sa.Text(), sa.ForeignKey("elders.id"), primary_key=True),
        sa.Column("role", sa.Text(), primary_key=True),
        sa.Column("from_on", sa.Text(), nullable=False),
        sa.Column("until_on", sa.Text()),
    )
    op.create_index("assignments_elder", "assignments", ["elder_id"])
    op.create_table(
        "drafts",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("tag", sa.Text(), nullable=False, unique=True),
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("form_hash", sa.Text(), sa.ForeignKey("forms.hash"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("result", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("drafts_open", "drafts", ["person_id"], unique=True,
                    sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
    op.create_index("drafts_person", "drafts", ["person_id", "state"])
    op.create_table(
        "invitations",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("token_hash", sa.Text(), nullable=False, unique=True),
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger()),
    )
    op.create_table(
        "posts",
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("role", sa.Text(), primary_key=True),
        sa.Column("area_id", sa.Text(), sa.ForeignKey("areas.id"), primary_key=True),
    )
    op.create_table(
        "visits",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("visit_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("elder_id", sa.Text(), sa.ForeignKey("elders.id"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("form_hash", sa.Text(), sa.ForeignKey("forms.hash"), nullable=False),
        sa.Column("on_day", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("late", sa.BigInteger(), nullable=False),
        sa.Column("answers", sa.LargeBinary()),
        sa.Column("visitor_id", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("written_by", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.LargeBinary()),
        sa.Column("draft_id", sa.Text(), unique=True),
        sa.Column("moved_from", sa.Text()),
        sa.UniqueConstraint("elder_id", "number", "version"),
        sa.UniqueConstraint("visit_id", "version"),
    )
    op.create_index("visits_elder", "visits", ["elder_id", "state", "on_day"])
    op.create_index("visits_visitor", "visits", ["visitor_id", "written_at"])
