"""收到: one tap says that an alert was seen, from whatever channel; any other press on it says so too (C12)."""

from conversations.commands.alerts import card_of, one, which
from conversations.engine import Part
from conversations.turn import Ask


def seen(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Thanks, and the alert as it stands; `one` keeps that he has seen it."""
    found = one(ask, rest)
    if found is None:
        return which(ask, rest)
    alert, elder = found
    if not alert.running:
        return (("alerts.over", {"number": alert.called}),)
    return (("reach.thanks", {}), card_of(ask, alert, elder))


COMMANDS = {"seen": seen}
