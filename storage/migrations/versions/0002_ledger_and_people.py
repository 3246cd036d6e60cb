"""The ledger and its people: proposals, wishes, surveys, files, jobs, codes, and what elders and people have more."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

COLUMNS = {  # table: name, type, and what old rows get
    "people": (("organisation", sa.Text(), ""), ("service", sa.Text(), ""), ("minor_until", sa.Text(), None),
               ("preferred", sa.Text(), None)),
    "accounts": (("state", sa.Text(), "active"),),
    "invitations": (("code_index", sa.Text(), None), ("code_until", sa.BigInteger(), None),
                    ("revoked_at", sa.BigInteger(), None), ("used_channel", sa.Text(), None),
                    ("used_account", sa.Text(), None)),
    "elders": (("condition", sa.Text(), None), ("condition_since", sa.Text(), None),
               ("condition_until", sa.Text(), None), ("wish", sa.Text(), ""), ("missing", sa.Text(), ""),
               ("reviewed_on", sa.Text(), None), ("class_until", sa.Text(), None)),
    "visits": (("minutes", sa.BigInteger(), None),),
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for name, kind, default in columns:
            op.add_column(table, sa.Column(name, kind, nullable=default is None, server_default=default))
    op.create_index("invitations_code", "invitations", ["code_index"], unique=True)
    op.create_index("invitations_person", "invitations", ["person_id"])
    op.create_index("assignments_until", "assignments", ["until_on"])
    op.create_index("elders_paused", "elders", ["status", "condition_until"])
    op.create_index("elders_class_until", "elders", ["class_until"])
    op.create_index("elders_reviewed", "elders", ["village_id", "reviewed_on"])
    closed = sa.text("status = 'closed'")
    op.create_index("elders_closed", "elders", ["condition_since"], sqlite_where=closed, postgresql_where=closed)
    op.create_index("inbox_at", "inbox", ["at"])
    op.create_table(
        "guesses",
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("account", sa.Text(), primary_key=True),
        sa.Column("hour", sa.BigInteger(), primary_key=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
    )
    op.create_index("guesses_hour", "guesses", ["hour"])
    op.create_table(
        "wishes",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("elder_id", sa.Text(), sa.ForeignKey("elders.id"), nullable=False),
        sa.Column("wish", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("on_day", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("wishes_elder", "wishes", ["elder_id", "on_day"])
    op.create_table(
        "proposals",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("area_id", sa.Text(), sa.ForeignKey("areas.id"), nullable=False),
        sa.Column("elder_id", sa.Text(), sa.ForeignKey("elders.id")),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("made_by", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("decided_at", sa.BigInteger()),
        sa.Column("reason", sa.LargeBinary()),
        sa.Column("draft_id", sa.Text(), unique=True),
    )
    waiting = sa.text("state = 'proposed'")
    op.create_index("proposals_waiting", "proposals", ["area_id", "kind", "made_at"], sqlite_where=waiting,
                    postgresql_where=waiting)
    op.create_index("proposals_elder", "proposals", ["elder_id", "kind", "state"])
    op.create_index("proposals_maker", "proposals", ["made_by", "state"])
    op.create_table(
        "surveys",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("area_id", sa.Text(), sa.ForeignKey("areas.id"), nullable=False),
        sa.Column("on_day", sa.Text(), nullable=False),
        sa.Column("households", sa.BigInteger(), nullable=False),
        sa.Column("found", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("surveys_area", "surveys", ["area_id", "on_day"])
    op.create_table(
        "files",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("name", sa.LargeBinary()),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("files_expiry", "files", ["expires_at"])
    op.create_table(
        "jobs",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id")),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fields", sa.LargeBinary()),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    )
    waits = sa.text("state = 'waiting'")
    op.create_index("jobs_waiting", "jobs", ["created_at"], sqlite_where=waits, postgresql_where=waits)
    op.create_index("jobs_person", "jobs", ["person_id", "state"])
    op.create_table(
        "pages",
        sa.Column("token_hash", sa.Text(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("file_id", sa.Text()),
        sa.Column("code_index", sa.Text(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger()),
    )
    _audit_subjects()


def _audit_subjects() -> None:
    """Finds the lines of the audit chain by whom they speak of, those already there included."""
    subjects = op.create_table(
        "audit_subjects",
        sa.Column("subject", sa.Text(), primary_key=True),
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    page = sa.text("SELECT seq, entries FROM audit WHERE seq > :after ORDER BY seq LIMIT 1000")
    after = 0
    while lines := op.get_bind().execute(page, {"after": after}).fetchall():
        op.bulk_insert(subjects, [{"subject": subject, "seq": seq} for seq, entries in lines
                                  for subject in sorted({entry[2] for entry in json.loads(entries) if entry[2]})])
        after = lines[-1][0]
