"""The ledger, its people, their messages, and what keeps the house in order."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from storage.tables.columns import BYTEWISE, count, maybe, maybe_number, metadata, number, row_id, sealed, to, words

# city, county, township, village, group: `path` is the ids from the top down, each followed by "/"
areas = Table(
    "areas", metadata, row_id(), to("parent_id", "areas.id", nullable=True), words("level"), words("name"),
    Column("path", BYTEWISE, nullable=False, unique=True),
    UniqueConstraint("parent_id", "name"),
)

people = Table(
    "people", metadata, row_id(), to("area_id", "areas.id"), words("name"), maybe("visitor_kind"),
    words("status"),  # active, suspended, left
    number("created_at"),
    words("organisation"), words("service"),  # whom a visitor belongs to, and what he does for elders (C9)
    maybe("minor_until"),  # the day on which somebody under age comes of age
    maybe("preferred"),  # the channel on which he wants to be written to
    maybe("guardian_consent_on"),  # the day on which the guardian of somebody under age agreed
    sealed("status_reason"), maybe("status_since"),  # why he is suspended, and since when
    maybe("digest_at"), maybe("how_much"),  # his choice: when his digest comes (HH:MM), and `all` or `urgent`
)

# what a person may do, and where
posts = Table(
    "posts", metadata,
    Column("person_id", Text, ForeignKey("people.id"), primary_key=True),
    Column("role", Text, primary_key=True), Column("area_id", Text, ForeignKey("areas.id"), primary_key=True),
    Index("posts_area", "area_id", "role"),
)

# a person's identities on channels
accounts = Table(
    "accounts", metadata,
    Column("channel", Text, primary_key=True), Column("account", Text, primary_key=True),
    to("person_id", "people.id"), words("chat"), number("bound_at"), maybe_number("blocked_at"),
    sealed("menu"),  # the tokens of the buttons last shown outside a form, so that their numbers can be typed
    words("state"),  # active, waiting for a coordinator to confirm who it is, refused
    Index("accounts_person", "person_id"), Index("accounts_chat", "channel", "chat"),
)

invitations = Table(
    "invitations", metadata, row_id(), Column("token_hash", Text, nullable=False, unique=True),
    to("person_id", "people.id"), words("made_by"), number("expires_at"), maybe_number("used_at"),
    maybe("code_index"),  # blind index of the six digits to be spoken
    maybe_number("code_until"), maybe_number("revoked_at"), maybe("used_channel"), maybe("used_account"),
    Index("invitations_code", "code_index", unique=True), Index("invitations_person", "person_id"),
)

# wrong codes and tokens by account and hour
guesses = Table(
    "guesses", metadata, Column("channel", Text, primary_key=True), Column("account", Text, primary_key=True),
    Column("hour", BigInteger, primary_key=True), number("count"),
    Index("guesses_hour", "hour"),
)

elders = Table(
    "elders", metadata, row_id(), to("village_id", "areas.id"), number("number"),  # the file's number in its village
    words("group_name"), words("name"), words("initials"), maybe("sex"), maybe("birth"),
    sealed("id_number"), Column("id_index", Text, unique=True), sealed("phone"), sealed("facts"),
    words("categories"),  # English names, one space between
    words("ability"), maybe_number("disability_grade"), words("registered_on"),
    words("status"),  # active, paused, closed
    words("care_class"), words("due_from"), words("due_until"),
    number("visits_made"),  # numbers taken so far, those before this system included
    maybe("earlier_visit_on"),  # the last visit before this system
    maybe("last_visit_on"), maybe("last_home_on"), maybe("last_screening_on"), number("created_at"),
    maybe("condition"),  # why a file is paused or closed: hospital, away, moved, died, recovered, refused, erased
    maybe("condition_since"), maybe("condition_until"),
    words("wish"),  # willing, unwilling, undecided; empty: not asked yet (C3)
    words("missing"),  # names of fields of annex 2 that are still to be filled, one space between
    maybe("reviewed_on"),  # the last day on which the file was gone through (half-year refresh, C3)
    maybe("class_until"),  # from this day on the class must be derived anew: a birthday
    maybe("remind_on"),  # the next day on which somebody is to be reminded of him; none: nothing is due
    count("open_needs"), count("open_hazards"),  # needs not closed; unsafe points of the newest visit
    UniqueConstraint("village_id", "number"),
    Index("elders_class_until", "class_until"), Index("elders_paused", "status", "condition_until"),
    Index("elders_reviewed", "village_id", "reviewed_on"),
    Index("elders_due", "village_id", "due_until"), Index("elders_initials", "village_id", "initials"),
    Index("elders_name", "village_id", "name"),
    Index("elders_remind", "remind_on", "id", sqlite_where=text("remind_on IS NOT NULL"),
          postgresql_where=text("remind_on IS NOT NULL")),
    Index("elders_closed", "condition_since", sqlite_where=text("status = 'closed'"),
          postgresql_where=text("status = 'closed'")),  # for retention
)

# what was the case from which day on, where it was not so all along: the raw log that due windows and figures come
# from. Never changed: of two rows of one day the one entered later holds. `what`: class (priority, general), standing
# (active, `paused hospital`, `closed died` …), wish (willing, unwilling, undecided), village (its id), registered
# and earlier (what the file said of these days, from when that was written)
courses = Table(
    "courses", metadata, row_id(), to("elder_id", "elders.id"), words("what"), words("from_on"), words("value"),
    number("entered_at"),
    Index("courses_elder", "elder_id", "from_on", "entered_at"),
    Index("courses_village", "value", sqlite_where=text("what = 'village'"),
          postgresql_where=text("what = 'village'")),  # who lived in a village once, for figures
)

# who cares for whom: visitor, stand_in (while a visitor is on leave), first_contact, family, cadre (挂钩联系)
assignments = Table(
    "assignments", metadata,
    Column("person_id", Text, ForeignKey("people.id"), primary_key=True),
    Column("elder_id", Text, ForeignKey("elders.id"), primary_key=True), Column("role", Text, primary_key=True),
    words("from_on"), maybe("until_on"),
    Index("assignments_elder", "elder_id"), Index("assignments_until", "until_on"),
)

# form definitions by content hash: a visit prints by its own
forms = Table("forms", metadata, Column("hash", Text, primary_key=True), words("name"), words("definition"))

# one row a version; the newest of a visit is `current`, others are `replaced`; `void` and `moved` keep the number
visits = Table(
    "visits", metadata, row_id(), words("visit_id"), number("version"), to("elder_id", "elders.id"),
    number("number"), words("state"), to("form_hash", "forms.hash"), words("on_day"), words("method"),
    number("late"), sealed("answers"), to("visitor_id", "people.id", nullable=True),
    to("written_by", "people.id", nullable=True), number("written_at"), sealed("reason"),
    Column("draft_id", Text, unique=True), maybe("moved_from"), maybe_number("minutes"),
    UniqueConstraint("elder_id", "number", "version"), UniqueConstraint("visit_id", "version"),
    Index("visits_elder", "elder_id", "state", "on_day"), Index("visits_visitor", "visitor_id", "written_at"),
)

# a form on its way: one of a person is `open`, others `paused`, `submitted`, `cancelled`
drafts = Table(
    "drafts", metadata, row_id(), Column("tag", Text, nullable=False, unique=True), to("person_id", "people.id"),
    words("form"), to("form_hash", "forms.hash"), words("state"), sealed("body"), maybe("result"),
    number("created_at"), number("updated_at"),
    Index("drafts_open", "person_id", unique=True, sqlite_where=text("state = 'open'"),
          postgresql_where=text("state = 'open'")),
    Index("drafts_person", "person_id", "state"),
)

# photos and voice notes: the channel's handle first, the bytes when they have been fetched
media = Table(
    "media", metadata, row_id(), words("channel"), words("kind"), sealed("ref"), sealed("body"), number("attempts"),
    number("created_at"),
    Index("media_waiting", "channel", "created_at", sqlite_where=text("body IS NULL"),
          postgresql_where=text("body IS NULL")),
)

# every delivery of one inbound thing is the same row; `answer_id` is what it was answered with
inbox = Table(
    "inbox", metadata, Column("channel", Text, primary_key=True), Column("dedupe_key", Text, primary_key=True),
    maybe("answer_id"), sealed("body"), number("at"), Index("inbox_at", "at"), sqlite_with_rowid=False,
)

# what is to be sent: a kind and its fields, never finished text
outbox = Table(
    "outbox", metadata, row_id(), words("channel"), words("chat"), words("lane"), words("kind"), sealed("fields"),
    maybe("unique_key"), words("state"),  # waiting, held (by a restore), sent, dropped
    number("not_before"), number("leased_until"), number("attempts"), maybe("receipt"), maybe("reason"),
    number("created_at"), maybe_number("done_at"),
    Index("outbox_unique_key", "unique_key", unique=True, sqlite_where=text("unique_key IS NOT NULL"),
          postgresql_where=text("unique_key IS NOT NULL")),  # most rows have none: they cost nothing
    Index("outbox_waiting", "lane", "not_before", "id", sqlite_where=text("state = 'waiting'"),
          postgresql_where=text("state = 'waiting'")),
    Index("outbox_chat", "channel", "chat", "lane", "id", sqlite_where=text("state = 'waiting'"),
          postgresql_where=text("state = 'waiting'")),
)

# each time that an elder was asked whether he wants to be visited, and the legal basis of his file (C3, C15)
wishes = Table(
    "wishes", metadata, row_id(), to("elder_id", "elders.id"), words("wish"), words("basis"), words("on_day"),
    to("asked_by", "people.id", nullable=True), number("written_at"),
    Index("wishes_elder", "elder_id", "on_day"),
)

# what one person reports and another confirms: registration, first_contact, life (a change of a life), and so on
proposals = Table(
    "proposals", metadata, row_id(), words("kind"), to("area_id", "areas.id"),
    to("elder_id", "elders.id", nullable=True), words("state"),  # growing, proposed, confirmed, refused, withdrawn
    sealed("body"), to("made_by", "people.id", nullable=True), number("made_at"),
    to("decided_by", "people.id", nullable=True), maybe_number("decided_at"), sealed("reason"),
    Column("draft_id", Text, unique=True),
    Index("proposals_waiting", "area_id", "kind", "made_at", sqlite_where=text("state = 'proposed'"),
          postgresql_where=text("state = 'proposed'")),
    Index("proposals_elder", "elder_id", "kind", "state"), Index("proposals_maker", "made_by", "state"),
)

# which group or estate was gone through household by household (摸排, C3); the newest of an area counts
surveys = Table(
    "surveys", metadata, row_id(), to("area_id", "areas.id"), words("on_day"), number("households"), number("found"),
    to("made_by", "people.id", nullable=True), number("written_at"),
    Index("surveys_area", "area_id", "on_day"),
)

# files that came in or were made: ledgers, differences, exports; deleted after `expires_at`
files = Table(
    "files", metadata, row_id(), words("kind"), to("person_id", "people.id", nullable=True), sealed("name"),
    sealed("body"), number("created_at"), number("expires_at"),
    Index("files_expiry", "expires_at"),
)

# what takes longer than a unit of work may: imports, exports, key rotation; written in chunks, resumed after a kill
jobs = Table(
    "jobs", metadata, row_id(), words("kind"), to("person_id", "people.id", nullable=True),
    words("state"),  # waiting, asking (for a yes), done, failed, cancelled
    sealed("fields"), words("cursor"), number("leased_until"), number("created_at"), number("updated_at"),
    Index("jobs_waiting", "created_at", sqlite_where=text("state = 'waiting'"),
          postgresql_where=text("state = 'waiting'")),
    Index("jobs_person", "person_id", "state"),
)

# single-use pages in the browser, for channels that carry no files
pages = Table(
    "pages", metadata, Column("token_hash", Text, primary_key=True), words("kind"), to("person_id", "people.id"),
    maybe("file_id"), words("code_index"), number("tries"), number("expires_at"), maybe_number("used_at"),
)

audit = Table(
    "audit", metadata, Column("seq", Integer, primary_key=True, autoincrement=False), number("at"),
    words("entries"), words("mac"),
)

# which lines of the chain speak of whom: only to find them, the chain itself is what counts
audit_subjects = Table(
    "audit_subjects", metadata, Column("subject", Text, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False), sqlite_with_rowid=False,
)

meta = Table("meta", metadata, Column("name", Text, primary_key=True), words("value"))

# what stands on the playground's phones: the playground is its own platform and must keep its messages
phone_messages = Table(
    "phone_messages", metadata, row_id(), words("chat"), sealed("body"), number("at"),
    Index("phone_messages_chat", "chat", "id"), Index("phone_messages_at", "at"),
)
