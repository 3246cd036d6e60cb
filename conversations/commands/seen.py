"""收到: one tap says that an alert was seen, from whatever channel; any other press on it says so too (C12)."""

from conversations.commands.alerts import card_of, one, which
from conversations.engine import Part
from conversations.turn import Ask
from scheduler import alerting


def seen(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Thanks, and the alert as it stands; `one` keeps that he has seen it."""
    found = one(ask, rest)
    if found is None:
        return which(ask, rest)
    alert, elder = found
    if not alert.running:
        return (("alerts.over", {"number": alert.called}),)
    goes = alert.state == "open" and ask.may("claim") and alerting.may_go(
        ask.tx, ask.writer.person_id, alert, ask.house.policies, ask.today)
    return (("reach.thanks", {"goes": goes}), card_of(ask, alert, elder))


COMMANDS = {"seen": seen}
