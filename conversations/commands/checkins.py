"""报平安: what an elder himself presses, what who is near him answers, and how it is set up and ended."""

from conversations import checkins as setting_up
from conversations import lookup, session
from conversations.engine import Part
from conversations.turn import Ask
from conversations.words_book import Words
from scheduler import checkins
from storage import check_ins, elders, people
from storage.elders import Elder

Parts = tuple[Part, ...]
Rows = list[list[list[object]]]
_WORDS = Words()
UNWELL = ("body", "mood", "things", "visit")  # the words of `[unwell]`


def well(ask: Ask, rest: str) -> Parts:
    """我很好: ends what waits for it, however late."""
    before = checkins.well(ask.tx, ask.writer.person_id, ask.house.policies, ask.now)
    if before is None:
        return (("checkins.not_asked", {}),)
    if before.stage in ("contact", "settling", "alert"):
        return (("checkins.thanks_late", {}),)
    if before.asking:
        return (("checkins.thanks", {}),)
    now = check_ins.own(ask.tx, ask.writer.person_id)
    return (("checkins.thanks_early" if now != before else "checkins.thanks_again", {}),)


def unwell(ask: Ask, rest: str) -> Parts:
    """不太好: they are told in any case, and in a moment; with what is the matter at once."""
    what, _, moment = rest.partition(" ")
    me, rules = ask.writer.person_id, ask.house.policies
    if what in UNWELL and moment.isascii() and moment.isdigit() and len(moment) < 12:
        said = _WORDS.say(f"unwell.{what}")  # as the village reads it among the needs
        done = checkins.unwell_of(ask.tx, me, int(moment), what, said, rules, ask.now)
        return (("checkins.unwell_told" if done else "checkins.not_asked", {}),)
    pressed = checkins.unwell(ask.tx, me, rules, ask.now)
    if pressed is None:
        return (("checkins.not_asked", {}),)
    rows: Rows = [[["button.unwell_what", {"what": each}, f"/unwell {each} {pressed}"]] for each in UNWELL]
    return (("checkins.unwell", {"buttons": [*rows, [["button.sos", {}, "/sos"]]]}),)


def sos(ask: Ask, rest: str) -> Parts:
    """紧急: the elder himself asks for help. Anybody else is told whom to call."""
    if people.OWN in ask.roles and checkins.call_help(ask.tx, ask.writer.person_id, ask.house.policies, ask.now):
        return (("checkins.help", {}),)
    return (("checkins.help_others", {}),)


def reached(ask: Ask, rest: str) -> Parts:
    """Who was asked to call says whether he reached the elder."""
    elder_id, _, yes = rest.partition(" ")
    elder = elders.find(ask.tx, ask.scope, elder_id)
    if elder is None:
        return (("menu.elder_gone", {}),)
    named = {"elder": elder.name}
    move = checkins.reached if yes == "yes" else checkins.not_reached
    before = move(ask.tx, elder.id, ask.writer.person_id, ask.house.policies, ask.now)
    if before == "contact":
        return (("checkins.reached" if yes == "yes" else "checkins.sending", named),)
    if before == "alert":
        return (("checkins.reached_alert" if yes == "yes" else "checkins.sending_already", named),)
    return (("checkins.answered", named),)


def card(ask: Ask, rest: str) -> Parts:
    """How it stands for one elder, and what can be changed; where it is not set up, that. An elder sees his own page.
    """
    found = _one(ask, rest, "checkin")
    if not isinstance(found, Elder):
        return found
    kept = check_ins.find(ask.tx, ask.scope, found.id)
    on = kept is not None and kept.state == "on"
    ends: list[object] = ["button.checkin_off", {}, f"/checkinoff {found.id}"]
    if _own(ask):
        return setting_up.home(ask, [[ends]] if on else [])
    if kept is None or not on:
        return _start(ask, found)
    bound = setting_up.is_bound(ask, kept.person_id)
    rows: Rows = [[["button.checkin_set", {}, f"/checkinset {found.id}"], ends]]
    rows += [] if bound else [[["button.checkin_invite", {}, f"/checkininvite {found.id}"]]]
    ask.note("elder.read", found.id, ("check_in",))
    return (("checkins.card", {"elder": found.name, "bound": bound, "at": kept.at_time, "stage": kept.stage,
                               "day": kept.day, "buttons": rows}),)


def set_up(ask: Ask, rest: str) -> Parts:
    """Asks for the elder's yes and his hour."""
    found = _one(ask, rest, "checkinset")
    return _start(ask, found) if isinstance(found, Elder) else found


def off(ask: Ask, rest: str) -> Parts:
    """He is not asked any more."""
    found = _one(ask, rest, "checkinoff")
    if not isinstance(found, Elder):
        return found
    if not check_ins.turn_off(ask.tx, found.id, ask.writer.person_id, ask.now):
        return (("checkins.off_already", {"elder": found.name}),)
    return (("checkins.off_own", {}) if _own(ask) else ("checkins.off", {"elder": found.name}),)


def invite(ask: Ask, rest: str) -> Parts:
    """A new invitation for the elder's own phone."""
    found = _one(ask, rest, "checkininvite")
    if not isinstance(found, Elder):
        return found
    kept = check_ins.find(ask.tx, ask.scope, found.id)
    if kept is None or kept.state != "on":
        return (("checkins.off_already", {"elder": found.name}),)
    return (*setting_up.invited(ask, found, kept.person_id), ("break", {}), ("checkins.pass_on", {
        "elder": found.name}))


def button(ask: Ask, elder: Elder) -> Rows:
    """The step from an elder's page."""
    return [[["button.checkin", {}, f"/checkin {elder.id}"]]] if ask.may("checkin") and elder.status != "closed" else []


def _start(ask: Ask, elder: Elder) -> Parts:
    if elder.status != "active":
        return (("checkins.paused", {"elder": elder.name, "why": elder.condition or "away"}),)
    return session.start(ask, "checkin", {"elder_id": elder.id, "elder_name": elder.name})


def _own(ask: Ask) -> bool:
    """Whether who asks is an elder himself, and no more than that."""
    return ask.roles == {people.OWN}


def _one(ask: Ask, rest: str, command: str) -> Elder | Parts:
    """The elder meant; with no name the only one in sight."""
    if rest:
        return lookup.one(ask, rest, command)
    known = elders.due_first(ask.tx, ask.scope, 2)
    return known[0] if len(known) == 1 else (("checkins.which", {}),)


COMMANDS = {"well": well, "unwell": unwell, "sos": sos, "reached": reached, "checkin": card, "checkin_set": set_up,
            "checkin_off": off, "checkin_invite": invite}
