"""Every table. Plain column types only: text, integers and bytes (see `database.Statements`).

Instants are milliseconds since 1970 UTC; dates are ISO text in the wall time of the area;
`sealed` columns hold what `crypto.Keys.seal` gave, their label being `table.column`.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()
BYTEWISE = Text().with_variant(Text(collation="C"), "postgresql")  # compared as ranges, whatever the locale


def _id() -> "Column[str]":
    return Column("id", Text, primary_key=True)


def _text(name: str) -> "Column[str]":
    return Column(name, Text, nullable=False)


def _maybe(name: str) -> "Column[str]":
    return Column(name, Text)


def _number(name: str) -> "Column[int]":
    return Column(name, BigInteger, nullable=False)


def _maybe_number(name: str) -> "Column[int]":
    return Column(name, BigInteger)


def _sealed(name: str) -> "Column[bytes]":
    return Column(name, LargeBinary)


def _to(name: str, target: str, *, nullable: bool = False) -> "Column[str]":
    return Column(name, Text, ForeignKey(target), nullable=nullable)


# city, county, township, village, group: `path` is the ids from the top down, each followed by "/"
areas = Table(
    "areas", metadata, _id(), _to("parent_id", "areas.id", nullable=True), _text("level"), _text("name"),
    Column("path", BYTEWISE, nullable=False, unique=True),
    UniqueConstraint("parent_id", "name"),
)

people = Table(
    "people", metadata, _id(), _to("area_id", "areas.id"), _text("name"), _maybe("visitor_kind"),
    _text("status"),  # active, suspended
    _number("created_at"),
)

# what a person may do, and where
posts = Table(
    "posts", metadata,
    Column("person_id", Text, ForeignKey("people.id"), primary_key=True),
    Column("role", Text, primary_key=True), Column("area_id", Text, ForeignKey("areas.id"), primary_key=True),
)

# a person's identities on channels
accounts = Table(
    "accounts", metadata,
    Column("channel", Text, primary_key=True), Column("account", Text, primary_key=True),
    _to("person_id", "people.id"), _text("chat"), _number("bound_at"), _maybe_number("blocked_at"),
    _sealed("menu"),  # the tokens of the buttons last shown outside a form, so that their numbers can be typed
    Index("accounts_person", "person_id"),
)

invitations = Table(
    "invitations", metadata, _id(), Column("token_hash", Text, nullable=False, unique=True),
    _to("person_id", "people.id"), _text("made_by"), _number("expires_at"), _maybe_number("used_at"),
)

elders = Table(
    "elders", metadata, _id(), _to("village_id", "areas.id"), _number("number"),  # the file's number in its village
    _text("group_name"), _text("name"), _text("initials"), _maybe("sex"), _maybe("birth"),
    _sealed("id_number"), Column("id_index", Text, unique=True), _sealed("phone"), _sealed("facts"),
    _text("categories"),  # English names, one space between
    _text("ability"), _maybe_number("disability_grade"), _text("registered_on"),
    _text("status"),  # active, paused, closed
    _text("care_class"), _text("due_from"), _text("due_until"),
    _number("visits_made"),  # numbers taken so far, those before this system included
    _maybe("earlier_visit_on"),  # the last visit before this system
    _maybe("last_visit_on"), _maybe("last_home_on"), _maybe("last_screening_on"), _number("created_at"),
    UniqueConstraint("village_id", "number"),
    Index("elders_due", "village_id", "due_until"), Index("elders_initials", "village_id", "initials"),
    Index("elders_name", "village_id", "name"),
)

# who cares for whom: visitor, first_contact, family
assignments = Table(
    "assignments", metadata,
    Column("person_id", Text, ForeignKey("people.id"), primary_key=True),
    Column("elder_id", Text, ForeignKey("elders.id"), primary_key=True), Column("role", Text, primary_key=True),
    _text("from_on"), _maybe("until_on"),
    Index("assignments_elder", "elder_id"),
)

# form definitions by content hash: a visit prints by its own
forms = Table("forms", metadata, Column("hash", Text, primary_key=True), _text("name"), _text("definition"))

# one row a version; the newest of a visit is `current`, others are `replaced`; `void` and `moved` keep the number
visits = Table(
    "visits", metadata, _id(), _text("visit_id"), _number("version"), _to("elder_id", "elders.id"),
    _number("number"), _text("state"), _to("form_hash", "forms.hash"), _text("on_day"), _text("method"),
    _number("late"), _sealed("answers"), _to("visitor_id", "people.id", nullable=True),
    _to("written_by", "people.id", nullable=True), _number("written_at"), _sealed("reason"),
    Column("draft_id", Text, unique=True), _maybe("moved_from"),
    UniqueConstraint("elder_id", "number", "version"), UniqueConstraint("visit_id", "version"),
    Index("visits_elder", "elder_id", "state", "on_day"), Index("visits_visitor", "visitor_id", "written_at"),
)

# a form on its way: one of a person is `open`, others `paused`, `submitted`, `cancelled`
drafts = Table(
    "drafts", metadata, _id(), Column("tag", Text, nullable=False, unique=True), _to("person_id", "people.id"),
    _text("form"), _to("form_hash", "forms.hash"), _text("state"), _sealed("body"), _maybe("result"),
    _number("created_at"), _number("updated_at"),
    Index("drafts_open", "person_id", unique=True, sqlite_where=text("state = 'open'"),
          postgresql_where=text("state = 'open'")),
    Index("drafts_person", "person_id", "state"),
)

# photos and voice notes: the channel's handle first, the bytes when they have been fetched
media = Table(
    "media", metadata, _id(), _text("channel"), _text("kind"), _sealed("ref"), _sealed("body"), _number("attempts"),
    _number("created_at"),
    Index("media_waiting", "channel", "created_at", sqlite_where=text("body IS NULL"),
          postgresql_where=text("body IS NULL")),
)

# every delivery of one inbound thing is the same row; `answer_id` is what it was answered with
inbox = Table(
    "inbox", metadata, Column("channel", Text, primary_key=True), Column("dedupe_key", Text, primary_key=True),
    _maybe("answer_id"), _sealed("body"), _number("at"), sqlite_with_rowid=False,
)

# what is to be sent: a kind and its fields, never finished text
outbox = Table(
    "outbox", metadata, _id(), _text("channel"), _text("chat"), _text("lane"), _text("kind"), _sealed("fields"),
    _maybe("unique_key"), _text("state"),  # waiting, sent, dropped
    _number("not_before"), _number("leased_until"), _number("attempts"), _maybe("receipt"), _maybe("reason"),
    _number("created_at"), _maybe_number("done_at"),
    Index("outbox_unique_key", "unique_key", unique=True, sqlite_where=text("unique_key IS NOT NULL"),
          postgresql_where=text("unique_key IS NOT NULL")),  # most rows have none: they cost nothing
    Index("outbox_waiting", "lane", "not_before", "id", sqlite_where=text("state = 'waiting'"),
          postgresql_where=text("state = 'waiting'")),
    Index("outbox_chat", "channel", "chat", "lane", "id", sqlite_where=text("state = 'waiting'"),
          postgresql_where=text("state = 'waiting'")),
)

audit = Table(
    "audit", metadata, Column("seq", Integer, primary_key=True, autoincrement=False), _number("at"),
    _text("entries"), _text("mac"),
)

meta = Table("meta", metadata, Column("name", Text, primary_key=True), _text("value"))

# what stands on the playground's phones: the playground is its own platform and must keep its messages
phone_messages = Table(
    "phone_messages", metadata, _id(), _text("chat"), _sealed("body"), _number("at"),
    Index("phone_messages_chat", "chat", "id"), Index("phone_messages_at", "at"),
)
