"""Accounts are found by their chat: whose menu a message's buttons are, whom a platform says it cannot reach."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index("accounts_chat", "accounts", ["channel", "chat"])
