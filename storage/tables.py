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
    _text("status"),  # active, suspended, left
    _number("created_at"),
    _text("organisation"), _text("service"),  # whom a visitor belongs to, and what he does for elders (C9)
    _maybe("minor_until"),  # the day on which somebody under age comes of age
    _maybe("preferred"),  # the channel on which he wants to be written to
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
    _text("state"),  # active, waiting for a coordinator to confirm who it is, refused
    Index("accounts_person", "person_id"),
)

invitations = Table(
    "invitations", metadata, _id(), Column("token_hash", Text, nullable=False, unique=True),
    _to("person_id", "people.id"), _text("made_by"), _number("expires_at"), _maybe_number("used_at"),
    _maybe("code_index"),  # blind index of the six digits to be spoken
    _maybe_number("code_until"), _maybe_number("revoked_at"), _maybe("used_channel"), _maybe("used_account"),
    Index("invitations_code", "code_index", unique=True), Index("invitations_person", "person_id"),
)

# wrong codes and tokens by account and hour
guesses = Table(
    "guesses", metadata, Column("channel", Text, primary_key=True), Column("account", Text, primary_key=True),
    Column("hour", BigInteger, primary_key=True), _number("count"),
    Index("guesses_hour", "hour"),
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
    _maybe("condition"),  # why a file is paused or closed: hospital, away, moved, died, recovered, refused, erased
    _maybe("condition_since"), _maybe("condition_until"),
    _text("wish"),  # willing, unwilling, undecided; empty: not asked yet (C3)
    _text("missing"),  # names of fields of annex 2 that are still to be filled, one space between
    _maybe("reviewed_on"),  # the last day on which the file was gone through (half-year refresh, C3)
    _maybe("class_until"),  # from this day on the class must be derived anew: a birthday
    UniqueConstraint("village_id", "number"),
    Index("elders_class_until", "class_until"), Index("elders_paused", "status", "condition_until"),
    Index("elders_reviewed", "village_id", "reviewed_on"),
    Index("elders_due", "village_id", "due_until"), Index("elders_initials", "village_id", "initials"),
    Index("elders_name", "village_id", "name"),
    Index("elders_closed", "condition_since", sqlite_where=text("status = 'closed'"),
          postgresql_where=text("status = 'closed'")),  # for retention
)

# who cares for whom: visitor, first_contact, family, cadre (挂钩联系)
assignments = Table(
    "assignments", metadata,
    Column("person_id", Text, ForeignKey("people.id"), primary_key=True),
    Column("elder_id", Text, ForeignKey("elders.id"), primary_key=True), Column("role", Text, primary_key=True),
    _text("from_on"), _maybe("until_on"),
    Index("assignments_elder", "elder_id"), Index("assignments_until", "until_on"),
)

# form definitions by content hash: a visit prints by its own
forms = Table("forms", metadata, Column("hash", Text, primary_key=True), _text("name"), _text("definition"))

# one row a version; the newest of a visit is `current`, others are `replaced`; `void` and `moved` keep the number
visits = Table(
    "visits", metadata, _id(), _text("visit_id"), _number("version"), _to("elder_id", "elders.id"),
    _number("number"), _text("state"), _to("form_hash", "forms.hash"), _text("on_day"), _text("method"),
    _number("late"), _sealed("answers"), _to("visitor_id", "people.id", nullable=True),
    _to("written_by", "people.id", nullable=True), _number("written_at"), _sealed("reason"),
    Column("draft_id", Text, unique=True), _maybe("moved_from"), _maybe_number("minutes"),
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
    _maybe("answer_id"), _sealed("body"), _number("at"), Index("inbox_at", "at"), sqlite_with_rowid=False,
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

# each time that an elder was asked whether he wants to be visited, and the legal basis of his file (C3, C15)
wishes = Table(
    "wishes", metadata, _id(), _to("elder_id", "elders.id"), _text("wish"), _text("basis"), _text("on_day"),
    _to("asked_by", "people.id", nullable=True), _number("written_at"),
    Index("wishes_elder", "elder_id", "on_day"),
)

# what one person reports and another confirms: registration, first_contact, life (a change of a life), and so on
proposals = Table(
    "proposals", metadata, _id(), _text("kind"), _to("area_id", "areas.id"),
    _to("elder_id", "elders.id", nullable=True), _text("state"),  # growing, proposed, confirmed, refused, withdrawn
    _sealed("body"), _to("made_by", "people.id", nullable=True), _number("made_at"),
    _to("decided_by", "people.id", nullable=True), _maybe_number("decided_at"), _sealed("reason"),
    Column("draft_id", Text, unique=True),
    Index("proposals_waiting", "area_id", "kind", "made_at", sqlite_where=text("state = 'proposed'"),
          postgresql_where=text("state = 'proposed'")),
    Index("proposals_elder", "elder_id", "kind", "state"), Index("proposals_maker", "made_by", "state"),
)

# which group or estate was gone through household by household (摸排, C3); the newest of an area counts
surveys = Table(
    "surveys", metadata, _id(), _to("area_id", "areas.id"), _text("on_day"), _number("households"), _number("found"),
    _to("made_by", "people.id", nullable=True), _number("written_at"),
    Index("surveys_area", "area_id", "on_day"),
)

# files that came in or were made: ledgers, differences, exports; deleted after `expires_at`
files = Table(
    "files", metadata, _id(), _text("kind"), _to("person_id", "people.id", nullable=True), _sealed("name"),
    _sealed("body"), _number("created_at"), _number("expires_at"),
    Index("files_expiry", "expires_at"),
)

# what takes longer than a unit of work may: imports, exports, key rotation; written in chunks, resumed after a kill
jobs = Table(
    "jobs", metadata, _id(), _text("kind"), _to("person_id", "people.id", nullable=True),
    _text("state"),  # waiting, asking (for a yes), done, failed, cancelled
    _sealed("fields"), _text("cursor"), _number("leased_until"), _number("created_at"), _number("updated_at"),
    Index("jobs_waiting", "created_at", sqlite_where=text("state = 'waiting'"),
          postgresql_where=text("state = 'waiting'")),
    Index("jobs_person", "person_id", "state"),
)

# single-use pages in the browser, for channels that carry no files
pages = Table(
    "pages", metadata, Column("token_hash", Text, primary_key=True), _text("kind"), _to("person_id", "people.id"),
    _maybe("file_id"), _text("code_index"), _number("tries"), _number("expires_at"), _maybe_number("used_at"),
)

audit = Table(
    "audit", metadata, Column("seq", Integer, primary_key=True, autoincrement=False), _number("at"),
    _text("entries"), _text("mac"),
)

# which lines of the chain speak of whom: only to find them, the chain itself is what counts
audit_subjects = Table(
    "audit_subjects", metadata, Column("subject", Text, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False), sqlite_with_rowid=False,
)

meta = Table("meta", metadata, Column("name", Text, primary_key=True), _text("value"))

# what stands on the playground's phones: the playground is its own platform and must keep its messages
phone_messages = Table(
    "phone_messages", metadata, _id(), _text("chat"), _sealed("body"), _number("at"),
    Index("phone_messages_chat", "chat", "id"), Index("phone_messages_at", "at"),
)
