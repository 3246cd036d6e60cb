"""Emergencies beyond the alert itself (C11, C12), and what channels must remember between messages."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text, UniqueConstraint, text

from storage.tables.columns import maybe_number, metadata, number, row_id, sealed, to, words

# where a village is told of alerts: a group of a platform, a robot that only sends, or an ordinary WeChat group, to
# which a coordinator forwards a text
groups = Table(
    "groups", metadata, row_id(), words("channel"), words("chat"), to("area_id", "areas.id", nullable=True),
    words("kind"),  # chat, robot, forwarded
    words("state"),  # asking (a coordinator is to say so in private), bound, left
    sealed("address"),  # a robot's
    to("bound_by", "people.id", nullable=True), maybe_number("bound_at"), number("made_at"),
    UniqueConstraint("channel", "chat"), Index("groups_area", "area_id"),
)

# who was told of an alert, and whether he has seen it (收到): until then he is tried on his next channel
alert_told = Table(
    "alert_told", metadata, Column("alert_id", Text, ForeignKey("alerts.id"), primary_key=True),
    Column("person_id", Text, ForeignKey("people.id"), primary_key=True), number("told_at"),
    maybe_number("seen_at"), words("channels"),  # those on which he was told, the last at the end; one space between
    words("state"),  # waiting, seen, unreached
    maybe_number("next_at"),
    Index("alert_told_next", "next_at", sqlite_where=text("next_at IS NOT NULL"),
          postgresql_where=text("next_at IS NOT NULL")),
    Index("alert_told_person", "person_id", "state"),
)

# emergency contacts who have no account: somebody calls them by telephone; `slot` is their place in the file
alert_contacts = Table(
    "alert_contacts", metadata, Column("alert_id", Text, ForeignKey("alerts.id"), primary_key=True),
    Column("slot", Text, primary_key=True), words("state"),  # reached (已打通), not_reached (未打通), chosen
    to("called_by", "people.id"), number("at"),
)

# what is added to an alert while it runs: a photo, a voice note, a place
alert_media = Table(
    "alert_media", metadata, row_id(), to("alert_id", "alerts.id"), words("kind"),  # photo, voice, place
    to("media_id", "media.id", nullable=True), sealed("place"), to("added_by", "people.id"), number("added_at"),
    Index("alert_media_alert", "alert_id", "added_at"),
)

# the page behind a forwarded alert, as long as the alert runs; of its token only a hash is kept
alert_links = Table(
    "alert_links", metadata, Column("token_hash", Text, primary_key=True), to("alert_id", "alerts.id"),
    to("group_id", "groups.id", nullable=True), number("made_at"),
    Index("alert_links_alert", "alert_id"),
)

# access tokens of platforms, shared by all processes: who renews one holds a lease
platform_tokens = Table(
    "platform_tokens", metadata, Column("name", Text, primary_key=True), sealed("token"), number("expires_at"),
    number("leased_until"),
)

# how long, and how often, an account may still be written to without a template
reply_windows = Table(
    "reply_windows", metadata, Column("channel", Text, primary_key=True), Column("account", Text, primary_key=True),
    Column("kind", Text, primary_key=True),  # what opened it: message, event
    number("until"), number("left"),
    Index("reply_windows_until", "until"),
)

# how many messages an account was sent in a span of time, where the platform drops silently what is more
send_counts = Table(
    "send_counts", metadata, Column("channel", Text, primary_key=True), Column("account", Text, primary_key=True),
    Column("span", Text, primary_key=True),  # minute:0 to minute:6, hour:0 to hour:6
    number("since"), number("count"),
    Index("send_counts_since", "since"),
)
