"""紧急: one tap keeps it; two more say who and what, and at once the screen says what to do first (C12).

It works in the middle of any form, which stands where it stood. What is pressed late is added to what went out.
"""

from conversations import alert_beside, alert_telling, lookup, session
from conversations.engine import Part
from conversations.lists import further, skipped
from conversations.turn import Ask, label
from conversations.words_book import Words
from scheduler import alerting, checkins, raising
from storage import alert_media, alerts, areas, elders, people
from storage.alerts import Alert
from storage.elders import Elder
from storage.scope import SOS, UNSAID

Parts = tuple[Part, ...]
Rows = list[list[list[object]]]
LISTED = 8
MOST_ELDERS = 100  # of which it is looked in which villages they live
LONGEST = 500  # characters of what is added in words
NOBODY = "none"  # 不在名单
LINES = frozenset({"120", "119", "110"})  # typed here where they should be dialled
_WORDS = Words()


def sos(ask: Ask, rest: str) -> Parts:
    """Keeps it at once. An elder's own goes out with this: he is asked nothing."""
    me, rules = ask.writer.person_id, ask.house.policies
    if ask.roles == {people.OWN} and checkins.call_help(ask.tx, me, rules, ask.now, rest):
        return (("checkins.help", {}),)
    mine = elders.due_first(ask.tx, ask.scope, 2)
    sure = mine[0] if len(mine) == 1 else None
    elder = elders.find(ask.tx, ask.scope, session.elder_of(ask)) or _meant(ask, rest) or sure
    before = alerts.pressed(ask.tx, me)
    alert = raising.press(ask.tx, me, elder, "" if elder else _area(ask, _places(ask)), rest, rules, ask.now)
    if before and rest and elder:
        raising.say_whom(ask.tx, alert, elder, alert.area_id, rules, ask.now)
    return _what(ask, alert, elder) if elder and elder in (sure, _meant(ask, rest)) else _whom(ask, alert, 0)


def whom(ask: Ask, rest: str) -> Parts:
    """Of whom it is: an elder, nobody on the list, or a further page of the list."""
    number, _, which = rest.partition(" ")
    alert = _mine(ask, number)
    if alert is None:
        return (("sos.gone", {"buttons": [[["button.sos", {}, "/sos"]]]}),)
    if which.startswith("+"):
        return _whom(ask, alert, skipped(which))
    listed, _, where = which.partition(" ")
    elder, area = None, ""
    if listed != NOBODY:
        elder = elders.find(ask.tx, ask.scope, which)
        if elder is None:
            return (("menu.elder_gone", {}), *_whom(ask, alert, 0))
    else:
        places = _places(ask)
        area = where if where in places else _area(ask, places)
        if where not in places and len(places) > 1:
            return _where(ask, alert, places, skipped(where))
    if not raising.say_whom(ask.tx, alert, elder, area, ask.house.policies, ask.now):
        return (("sos.others", {"number": alert.called, "buttons": [[["button.sos", {}, "/sos"]]]}),)
    return _what(ask, alert, elder) if alert.kind in (UNSAID, SOS) else (("sos.added", {"number": alert.called}),)


def what(ask: Ask, rest: str) -> Parts:
    """What it is: it goes out, and here is what to do first."""
    number, _, kind = rest.partition(" ")
    alert = _mine(ask, number)
    if alert is None or kind not in raising.KINDS:
        return (("sos.gone", {"buttons": [[["button.sos", {}, "/sos"]]]}),)
    now = raising.say_what(ask.tx, alert, kind, ask.house.policies, ask.now)
    first: Part = ("afar.first" if alert_telling.afar(ask.tx, ask.scope, alert) else "sos.first", {"what": kind})
    if now is None:
        return (first, ("sos.said", {"number": alert.called}))
    if now.id != alert.id and now.kind != kind:
        raising.add_words(ask.tx, now, ask.writer.person_id, _WORDS.say(f"alert_kind.{kind}"), ask.house.policies,
                          ask.now, told=True)
    see: Rows = [[["button.alert", {}, f"/alert {now.id}"]]] if alerts.find(ask.tx, ask.scope, now.id) else []
    told = "sos.sent" if now.id == alert.id else "sos.joined"
    call, rows = alert_beside.at_once(ask, now)
    return (first, (told, {"number": now.called, "what": kind, "buttons": [*see, *rows]}), *call)


def typed(ask: Ask, asks: str, text: str) -> Parts:
    """What is typed while it asks, where it is no label: an elder's name is whom, one of `LINES` cannot be dialled
    here, words are kept. It asks on. `asks`: what the first button of its question sends.
    """
    call, number = asks.split()[:2]
    alert = _mine(ask, number)
    if alert is None or alert.kind not in (UNSAID, SOS):
        return more(ask, text)
    if call == "/soswhom" and (meant := _meant(ask, text)):
        return whom(ask, f"{number} {meant.id}")
    said: Parts = (("sos.dial", {"line": text, "raised": True}),) if text in LINES else ()
    if not text.isdigit():
        raising.add_words(ask.tx, alert, ask.writer.person_id, text[:LONGEST], ask.house.policies, ask.now)
        said = (("sos.kept", {}),)
    return (*said, *on(ask, asks))


def on(ask: Ask, asks: str) -> Parts:
    """The same question again; nothing where it is not to be asked any more."""
    call, number, *about = asks.split()
    alert = _mine(ask, number)
    if alert is None or alert.kind not in (UNSAID, SOS):
        return ()
    if about[:1] == [NOBODY] and about[1:]:
        return _where(ask, alert, _places(ask), 0)
    elder = elders.find(ask.tx, ask.scope, alert.elder_id) if alert.elder_id else None
    return _whom(ask, alert, 0) if call == "/soswhom" else _what(ask, alert, elder)


def dial(line: str) -> Parts:
    """One of `LINES` typed anywhere else: nobody is reached by that."""
    return (("sos.dial", {"line": line, "raised": False, "buttons": [[["button.sos", {}, "/sos"]]]}),)


def off(ask: Ask, rest: str) -> Parts:
    """点错了: taken back before anybody was told."""
    alert = _mine(ask, rest)
    if alert is None:
        return (("sos.gone", {"buttons": [[["button.sos", {}, "/sos"]]]}),)
    if alerts.lock_pressed(ask.tx, alert.id) is None:
        return (("sos.out", {"buttons": [[["button.alerts", {}, "/alerts"]]]}),)
    alerting.end(ask.tx, alert, ask.writer.person_id, {"reason": _WORDS.say("sos.mistaken")}, ask.house.policies,
                 ask.now)
    return (("sos.off", {}),)


def more(ask: Ask, rest: str) -> Parts:
    """补充: words for the newest alert that he raised or goes to, or the only one that he sees."""
    own = alert_media.own(ask.tx, ask.writer.person_id)
    total, page = alerts.running(ask.tx, ask.scope, 1)
    found = alerts.find(ask.tx, ask.scope, own.id) if own else page[0] if total == 1 else None
    if found is None:
        return (("sos.no_alert", {"buttons": [[["button.sos", {}, "/sos"]]]}),)
    if not rest:
        return (("sos.how_more", {"number": found.called}),)
    raising.add_words(ask.tx, found, ask.writer.person_id, rest[:LONGEST], ask.house.policies, ask.now)
    return (("sos.more", {"number": found.called}),)


def _meant(ask: Ask, text: str) -> Elder | None:
    """The one elder of theirs whose name begins what was written, or is all of it."""
    name = text.split()[0] if text else ""
    found = lookup.matching(ask, name) if len(name) > 1 else []
    return found[0] if len(found) == 1 else None


def _mine(ask: Ask, number: str) -> Alert | None:
    """What this person raised, by its number, while it runs."""
    usable = number.isascii() and number.isdigit() and len(number) < 12
    alert = alerts.running_numbered(ask.tx, int(number)) if usable else None
    return alert if alert and alert.raised_by == ask.writer.person_id else None


def _whom(ask: Ask, alert: Alert, skip: int) -> Parts:
    page = elders.due_first(ask.tx, ask.scope, LISTED, skip)
    before = elders.find(ask.tx, ask.scope, alert.elder_id) if alert.elder_id else None
    first = [before] if before and not skip else []
    rows: Rows = [[["button.person", {"label": label(each)}, f"/soswhom {alert.number} {each.id}"]]
                  for each in (*first, *(each for each in page if before is None or each.id != before.id))]
    rows += further(f"/soswhom {alert.number}", elders.count(ask.tx, ask.scope), skip, LISTED)
    rows.append([["button.sos_nobody", {}, f"/soswhom {alert.number} {NOBODY}"]])
    return (("sos.whom", {"number": alert.called, "seconds": _seconds(ask, alert), "afar": ask.roles == {"family"},
                          "buttons": [*rows, *_off(alert)]}),)


def _places(ask: Ask) -> dict[str, str]:
    """The villages where somebody on no list may be, for who asks: id to name."""
    posts = {each.id: each.name for each in areas.villages_of(ask.tx, ask.writer.person_id)}
    return posts | {each.village_id: each.village for each in elders.due_first(ask.tx, ask.scope, MOST_ELDERS)}


def _area(ask: Ask, places: dict[str, str]) -> str:
    """Where it is while nobody has said it: the only village that it can be, or where he who asks is kept."""
    return next(iter(places)) if len(places) == 1 else ask.person.area_id


def _where(ask: Ask, alert: Alert, places: dict[str, str], skip: int) -> Parts:
    """In which village somebody is who is on no list: who goes there, and its group, are told."""
    rows: Rows = [[["button.group_village", {"village": name}, f"/soswhom {alert.number} {NOBODY} {village}"]]
                  for village, name in [*places.items()][skip:skip + LISTED]]
    rows += further(f"/soswhom {alert.number} {NOBODY}", len(places), skip, LISTED)
    return (("sos.where", {"number": alert.called, "seconds": _seconds(ask, alert), "buttons": [
        *rows, *_off(alert)]}),)


def _what(ask: Ask, alert: Alert, elder: Elder | None) -> Parts:
    kinds: list[list[object]] = [["button.sos_what", {"what": kind}, f"/soswhat {alert.number} {kind}"]
                                 for kind in raising.KINDS]
    rows = [kinds[at:at + 2] for at in range(0, len(kinds), 2)]
    return (("sos.what", {"number": alert.called, "elder": alert_telling.called(elder),
                          "seconds": _seconds(ask, alert), "afar": ask.roles == {"family"},
                          "buttons": [*rows, *_off(alert)]}),)


def _off(alert: Alert) -> Rows:
    return [[["button.sos_off", {}, f"/sosoff {alert.number}"]]] if alert.kind == UNSAID else []


def _seconds(ask: Ask, alert: Alert) -> int:
    """How long until it goes out as it is; 0: it went out."""
    after = ask.policy(alert.area_id).alerts.details_seconds
    left = after - int((ask.now - alert.raised_at).total_seconds())
    return max(0, left) if alert.kind == UNSAID else 0


COMMANDS = {"sos": sos, "sos_whom": whom, "sos_what": what, "sos_off": off, "more": more}
