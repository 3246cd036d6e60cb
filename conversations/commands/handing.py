"""需要支援, 移交, 我来接手, 还给大家: what who goes may do when he cannot end it alone. All is checked at the press."""

from conversations import alert_telling
from conversations.commands.alerts import card_of, one, wall, which
from conversations.engine import Part
from conversations.lists import PAGE, further, skipped
from conversations.turn import Ask
from scheduler import handing
from storage import alerts
from storage.alerts import Alert
from storage.elders import Elder

Parts = tuple[Part, ...]
Rows = list[list[list[object]]]


def support(ask: Ask, rest: str) -> Parts:
    """More people are asked to come."""
    found = one(ask, rest)
    if found is None:
        return which(ask, rest)
    alert, elder = found
    if not _mine(ask, alert):
        return _not_mine(ask, alert, elder)
    done = handing.support(ask.tx, alert, ask.writer.person_id, ask.house.policies, ask.now)
    now = alerts.find(ask.tx, ask.scope, alert.id) or alert
    if not _mine(ask, now) or now.support_at is None:
        return _not_mine(ask, now, elder)
    said: Part = ("ladder.asked_more", {}) if done else (
        "ladder.asked_already", {"time": wall(ask, now.support_at).partition("T")[2]})
    return (said, card_of(ask, now, elder))


def hand(ask: Ask, rest: str) -> Parts:
    """Whom to ask to go instead; or it is given back."""
    alert_id, _, page = rest.partition(" ")
    found = one(ask, alert_id)
    if found is None:
        return which(ask, alert_id)
    alert, elder = found
    return _whom(ask, alert, skipped(page)) if _mine(ask, alert) else _not_mine(ask, alert, elder)


def hand_to(ask: Ask, rest: str) -> Parts:
    """Asks this one, by the alert's number and his id."""
    number, _, person = rest.partition(" ")
    usable = number.isascii() and number.isdigit() and len(number) < 12
    running = alerts.running_numbered(ask.tx, int(number)) if usable else None
    found = alert_telling.found(ask.tx, ask.scope, running.id) if running else None
    if found is None:
        return (("alerts.gone", {}),)
    alert, elder = found
    done = handing.offer(ask.tx, alert, ask.writer.person_id, person, ask.house.policies, ask.now)
    if done == "not_yours":
        return _not_mine(ask, alerts.find(ask.tx, ask.scope, alert.id) or alert, elder)
    who = {"who": alert_telling.name(ask.tx, person) if done != "may_not" else ""}
    if done != "offered":
        return ((f"ladder.{done}", who), _whom(ask, alert, 0)[0])
    return (("ladder.asked", who), card_of(ask, alerts.find(ask.tx, ask.scope, alert.id) or alert, elder))


def take_over(ask: Ask, rest: str) -> Parts:
    """He who was asked goes."""
    found = one(ask, rest)
    if found is None:
        return which(ask, rest)
    alert, elder = found
    done = handing.take_over(ask.tx, alert, ask.writer.person_id, ask.house.policies, ask.now)
    now = alerts.find(ask.tx, ask.scope, alert.id) or alert
    if done or _mine(ask, now):
        return (("ladder.you_took" if done else "alerts.you_went", {}), card_of(ask, now, elder))
    return (("ladder.not_asked", {}) if now.running else ("alerts.over", {"number": now.called}),)


def not_take(ask: Ask, rest: str) -> Parts:
    """He who was asked cannot."""
    found = one(ask, rest)
    if found is None:
        return which(ask, rest)
    alert, _ = found
    if not handing.decline(ask.tx, alert, ask.writer.person_id, ask.now):
        return (("ladder.not_asked", {}),)
    return (("ladder.you_declined", {"who": alert_telling.name(ask.tx, alert.claimed_by)}),)


def give_back(ask: Ask, rest: str) -> Parts:
    """Nobody goes any more: all are asked again."""
    found = one(ask, rest)
    if found is None:
        return which(ask, rest)
    alert, elder = found
    if not handing.give_back(ask.tx, alert, ask.writer.person_id, ask.house.policies, ask.now):
        return _not_mine(ask, alerts.find(ask.tx, ask.scope, alert.id) or alert, elder)
    return (("ladder.given_back", {}), card_of(ask, alerts.find(ask.tx, ask.scope, alert.id) or alert, elder))


def _mine(ask: Ask, alert: Alert) -> bool:
    return alert.running and alert.claimed_by == ask.writer.person_id


def _not_mine(ask: Ask, alert: Alert, elder: Elder | None) -> Parts:
    if not alert.running:
        return (("alerts.over", {"number": alert.called}),)
    return (("alerts.first_go" if alert.state == "open" else "alerts.not_yours", {}), card_of(ask, alert, elder))


def _whom(ask: Ask, alert: Alert, skip: int) -> Parts:
    others = handing.may_take(ask.tx, alert, ask.house.policies, ask.today)
    rows: Rows = [[["button.hand_to", {"name": alert_telling.name(ask.tx, each)}, f"/handto {alert.number} {each}"]]
                  for each in others[skip:skip + PAGE]]
    rows += further(f"/handalert {alert.id}", len(others), skip)
    rows += [[["button.give_back", {}, f"/giveback {alert.id}"]], [["button.alert", {}, f"/alert {alert.id}"]]]
    return (("ladder.whom", {"offered": alert_telling.name(ask.tx, alert.offered_to), "anybody": bool(others),
                             "buttons": rows}),)


COMMANDS = {"support": support, "hand_alert": hand, "hand_to": hand_to, "take_over": take_over, "not_take": not_take,
            "give_back": give_back}
