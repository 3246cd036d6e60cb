"""我的渠道: where one person can be reached, which channel he prefers, and giving one up."""

from conversations.engine import Part
from conversations.inviting import Buttons
from conversations.turn import Ask
from storage import accounts, outbox, people
from storage.accounts import Account

Parts = tuple[Part, ...]


def channels(ask: Ask, rest: str) -> Parts:
    """Nothing: the list. `prefer CHANNEL`, `remove ACCOUNT`, `remove ACCOUNT yes`."""
    what, _, which = rest.partition(" ")
    ref, _, sure = which.partition(" ")
    mine = [each for each in accounts.of(ask.tx, ask.writer.person_id) if each.state == "active"]
    if what == "prefer" and any(each.channel == which for each in mine):
        people.prefer(ask.tx, ask.writer.person_id, which, ask.now)
        return (("binding.preferred", {"channel": which}), _listed(ask, mine))
    chosen = next((each for each in mine if each.ref == ref), None)
    if what == "remove" and chosen is not None:
        return _removed(ask, mine, chosen, sure == "yes")
    return (_listed(ask, mine),)


def _listed(ask: Ask, mine: list[Account]) -> Part:
    preferred = people.preferred(ask.tx, ask.writer.person_id)
    lines = []
    buttons: Buttons = []
    several = len({each.channel for each in mine}) > 1
    for each in mine:
        since = each.bound_at.astimezone(ask.house.policy.zone).date().isoformat()
        lines.append({"channel": each.channel, "tail": each.tail, "since": since, "here": _is_here(ask, each),
                      "preferred": several and each.channel == preferred})
        row: list[list[object]] = [["button.remove", {"channel": each.channel, "tail": each.tail},
                                    f"/channels remove {each.ref}"]]
        if several and each.channel != preferred:
            row.insert(0, ["button.prefer", {"channel": each.channel}, f"/channels prefer {each.channel}"])
        buttons.append(row)
    return ("binding.channels", {"channels": lines, "several": several, "buttons": buttons})


def _removed(ask: Ask, mine: list[Account], chosen: Account, sure: bool) -> Parts:
    """The one he writes from goes only after a warning."""
    here = _is_here(ask, chosen)
    if here and not sure:
        return (("binding.remove_this", {"last": len(mine) == 1, "buttons": [
            [["button.remove_sure", {}, f"/channels remove {chosen.ref} yes"]],
            [["button.keep_channel", {}, "/channels"]]]}),)
    accounts.remove(ask.tx, chosen, ask.writer.person_id, ask.now)
    outbox.silence(ask.tx, chosen.channel, chosen.chat, "account removed", ask.now)
    if people.preferred(ask.tx, ask.writer.person_id) == chosen.channel and not any(
            each.channel == chosen.channel and each != chosen for each in mine):
        people.prefer(ask.tx, ask.writer.person_id, None, ask.now)
    if here:
        return (("binding.removed_this", {}),)
    return (("binding.removed", {"channel": chosen.channel}), _listed(ask, [each for each in mine if each != chosen]))


def _is_here(ask: Ask, account: Account) -> bool:
    return (account.channel, account.account) == (ask.inbound.channel, ask.inbound.account)


COMMANDS = {"channels": channels}
