"""What the clock works with: reminders, calls and check-ins, requests and needs, alerts, campaigns, figures."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, UniqueConstraint, text

from storage.tables.columns import count, maybe, maybe_number, metadata, number, row_id, sealed, to, words

# a visitor's holiday (请假): his elders are a stand-in's from one day to another, both included
leaves = Table(
    "leaves", metadata, row_id(), to("person_id", "people.id"), words("from_on"), words("until_on"),
    to("stand_in", "people.id", nullable=True), words("state"),  # standing, withdrawn
    to("made_by", "people.id", nullable=True), number("made_at"),
    Index("leaves_person", "person_id", "until_on"), Index("leaves_until", "until_on"),
)

# 今天去不了: a visitor will see this elder on another day, and is not reminded of him until then
postponements = Table(
    "postponements", metadata, row_id(), to("elder_id", "elders.id"), to("person_id", "people.id"), words("until_on"),
    words("reason"), number("made_at"),  # reason: a word; weather, ill, nobody_home, busy, other
    Index("postponements_person", "person_id", "elder_id", "until_on"),
)

# what the clock did of a day or an hour: who does it holds a lease; done is what has `done_at`
ticks = Table(
    "ticks", metadata, Column("sweep", Text, primary_key=True), Column("due", Text, primary_key=True),
    number("leased_until"), maybe_number("done_at"),
)

# how many reminders a person was sent on a day (of the elders' wall)
quotas = Table(
    "quotas", metadata, Column("person_id", Text, ForeignKey("people.id"), primary_key=True),
    Column("day", Text, primary_key=True), number("count"),
    Index("quotas_day", "day"),
)

# when a child is reminded to call an elder, and how much he wants to hear (C2)
call_plans = Table(
    "call_plans", metadata, Column("person_id", Text, ForeignKey("people.id"), primary_key=True),
    Column("elder_id", Text, ForeignKey("elders.id"), primary_key=True),
    number("weekday"), words("at_time"),  # 0 is Monday; HH:MM
    number("shares"),  # 1: the children of this elder take turns, so that only one is reminded
    words("summaries"),  # each (after each visit), monthly, emergency
    number("next_at"), maybe_number("asked_at"), maybe_number("answered_at"),
    Index("call_plans_next", "next_at"), Index("call_plans_elder", "elder_id"),
)

# what an elder said of whom of his family is told how he is, and of what not (哪些不告诉家属); the newest counts
tellings = Table(
    "tellings", metadata, row_id(), to("elder_id", "elders.id"), to("person_id", "people.id"), number("allowed"),
    words("withheld"),  # health, mood, home, economy, needs; one space between
    words("on_day"), to("asked_by", "people.id", nullable=True), number("written_at"),
    Index("tellings_elder", "elder_id", "person_id", "on_day"),
)

# calls of the family, and what came of each: beside the visits, never instead of them (三(三)3)
contacts = Table(
    "contacts", metadata, row_id(), to("elder_id", "elders.id"), to("person_id", "people.id"), words("on_day"),
    number("at"), words("method"),  # phone, video, wechat; as the visits have it
    words("outcome"),  # fine, trouble, unreachable
    sealed("words"),
    Index("contacts_elder", "elder_id", "on_day"), Index("contacts_person", "person_id", "elder_id", "at"),
)

# what somebody asks the village for: a visit (`urgent`: today), a call back
requests = Table(
    "requests", metadata, row_id(), to("elder_id", "elders.id"), words("kind"), number("urgent"),
    words("state"),  # open, taken, done, declined, withdrawn
    to("asked_by", "people.id", nullable=True), number("asked_at"), words("due_on"), sealed("words"),
    to("taken_by", "people.id", nullable=True), maybe_number("done_at"), sealed("answer"),
    maybe_number("late_at"),  # of an urgent one: when the township is told, unless somebody took it
    Index("requests_late", "late_at", sqlite_where=text("late_at IS NOT NULL"),
          postgresql_where=text("late_at IS NOT NULL")),
    Index("requests_open", "elder_id", "due_on", sqlite_where=text("state IN ('open', 'taken')"),
          postgresql_where=text("state IN ('open', 'taken')")),
    Index("requests_asker", "asked_by", "asked_at"),
)

# needs (帮扶需求), each with one measure (帮扶措施), who answers for it, a day and an outcome (C7)
needs = Table(
    "needs", metadata, row_id(), to("elder_id", "elders.id"), words("source"),  # contact, visit, check_in
    words("source_id"), sealed("what"), words("state"),  # open, arranged, closed
    to("made_by", "people.id", nullable=True), number("made_at"), maybe("due_on"),
    to("answerable", "people.id", nullable=True), sealed("measure"), sealed("outcome"),
    to("closed_by", "people.id", nullable=True), maybe_number("closed_at"),
    Index("needs_open", "elder_id", sqlite_where=text("state <> 'closed'"), postgresql_where=text("state <> 'closed'")),
    UniqueConstraint("source", "source_id"),
)

# an elder's own 报平安, by his wish: each day at his hour, and what follows when no answer comes
check_ins = Table(
    "check_ins", metadata, Column("elder_id", Text, ForeignKey("elders.id"), primary_key=True),
    to("person_id", "people.id"), words("at_time"), words("state"),  # on, off
    words("day"), words("stage"),  # of that day: see storage/check_ins.py
    number("next_at"),
    Index("check_ins_next", "next_at", sqlite_where=text("state = 'on'"), postgresql_where=text("state = 'on'")),
    Index("check_ins_person", "person_id"),
)

# alerts: an alert ends only when a person claims and closes it (C12)
alerts = Table(
    "alerts", metadata, row_id(), Column("number", BigInteger, nullable=False, unique=True),
    to("elder_id", "elders.id", nullable=True), to("area_id", "areas.id"), words("kind"),
    words("state"),  # open, claimed, arrived, closed, false_alarm
    words("source"),  # person, check_in, contact, device
    to("raised_by", "people.id", nullable=True), number("raised_at"), sealed("words"),
    to("claimed_by", "people.id", nullable=True), maybe_number("claimed_at"),
    to("closed_by", "people.id", nullable=True), maybe_number("closed_at"), sealed("outcome"),
    maybe_number("next_at"),  # when more people are told, unless somebody goes; none: nobody more is
    count("rung"),  # how many rungs of its ladder were climbed, of those that count from `rungs_from`
    maybe_number("rungs_from"),  # raised, taken over, given back; none: as an older release raised it
    maybe("offered_to"),  # 移交: who is asked to go instead
    count("alike"),  # 1: one of several of its kind, of which the ranks above were told
    maybe_number("arrived_at"), maybe_number("support_at"),  # 已到场; 需要支援
    count("drill"),  # 1: 演练; 2: one of which the township hears too
    maybe("family_by"),  # who decided that the family is told of what is kept from it
    Index("alerts_next", "next_at", sqlite_where=text("next_at IS NOT NULL"),
          postgresql_where=text("next_at IS NOT NULL")),
    Index("alerts_open", "area_id", "raised_at", sqlite_where=text("state IN ('open', 'claimed', 'arrived')"),
          postgresql_where=text("state IN ('open', 'claimed', 'arrived')")),
    Index("alerts_elder", "elder_id", "raised_at"), Index("alerts_recent", "area_id", "raised_at"),
)

# who makes or runs devices, and sends their alarms (C11); of his token only a hash is kept
device_vendors = Table(
    "device_vendors", metadata, row_id(), Column("name", Text, nullable=False, unique=True), words("token_hash"),
    number("created_at"), maybe_number("revoked_at"),
)

# devices by their serial number: bound to an elder, or unknown yet
devices = Table(
    "devices", metadata, row_id(), to("vendor_id", "device_vendors.id"), words("serial"),
    to("elder_id", "elders.id", nullable=True), to("bound_by", "people.id", nullable=True), maybe_number("bound_at"),
    maybe_number("damped_until"), maybe_number("last_seen"),
    UniqueConstraint("vendor_id", "serial"), Index("devices_elder", "elder_id"),
)

# what devices sent, each once: the vendor's own id of it is unique; `elder_id` is whose the device was then
device_events = Table(
    "device_events", metadata, row_id(), to("vendor_id", "device_vendors.id"), words("event_id"),
    to("device_id", "devices.id"), to("elder_id", "elders.id", nullable=True), words("kind"), number("at"),
    number("received_at"), sealed("reading"), words("state"),  # alert, check_in, note, unknown_device
    to("alert_id", "alerts.id", nullable=True), maybe("answer"),  # of a check_in: fine, unreachable
    to("answered_by", "people.id", nullable=True), maybe_number("answered_at"),
    UniqueConstraint("vendor_id", "event_id"), Index("device_events_device", "device_id", "received_at"),
    Index("device_events_elder", "elder_id"),
    Index("device_events_asking", "received_at", sqlite_where=text("state = 'check_in' AND answer IS NULL"),
          postgresql_where=text("state = 'check_in' AND answer IS NULL")),
    Index("device_events_alert", "alert_id", sqlite_where=text("alert_id IS NOT NULL"),
          postgresql_where=text("alert_id IS NOT NULL")),
)

# a time in which more is done than the ordinary (C13): epidemic, weather, festival
campaigns = Table(
    "campaigns", metadata, row_id(), words("kind"), words("name"), to("area_id", "areas.id"), words("first_on"),
    words("last_on"), words("state"),  # proposed, open, ended, cancelled
    number("remote"),  # 1: home visits are impossible, remote ones meet the windows
    maybe_number("every_days"), maybe_number("within_hours"), maybe("festival"), words("advice"),
    words("met_by"),  # the ways of visiting that reach somebody, as the policy had it then; one space between
    to("made_by", "people.id", nullable=True), number("made_at"), to("decided_by", "people.id", nullable=True),
    maybe_number("decided_at"), maybe_number("begun_at"), maybe_number("ended_at"),
    UniqueConstraint("area_id", "kind", "first_on", "name"),
    Index("campaigns_state", "state", "last_on"), Index("campaigns_area", "area_id", "last_on"),
)

# whom a campaign reached, and when last
campaign_reached = Table(
    "campaign_reached", metadata, Column("campaign_id", Text, ForeignKey("campaigns.id"), primary_key=True),
    Column("elder_id", Text, ForeignKey("elders.id"), primary_key=True), words("on_day"), number("at"),
    words("method"), number("times"),
    Index("campaign_reached_elder", "elder_id"),
)

# figures of a month or quarter (`2026-11`, `2026-Q4`) as they were at the cut-off (C14); later entries stand apart
figures = Table(
    "figures", metadata, Column("area_id", Text, ForeignKey("areas.id"), primary_key=True),
    Column("period", Text, primary_key=True), Column("care_class", Text, primary_key=True),
    words("numbers"), number("cut_off"), number("frozen_at"),
    Index("figures_period", "period"),
)
