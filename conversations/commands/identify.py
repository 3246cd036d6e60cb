"""是本人, 不是本人: a coordinator says whose an account is. From the next message on a refused one can do nothing."""

from conversations import offices
from conversations.engine import Part
from conversations.inviting import Buttons
from conversations.turn import Ask
from scheduler import notices
from scheduler.notices import BoundElsewhere
from storage import accounts, invitations, outbox, people
from storage.accounts import Account
from storage.invitations import Invitation
from storage.outbox import Outgoing

Parts = tuple[Part, ...]


def identify(ask: Ask, rest: str) -> Parts:
    """`ID yes`, `ID no`, or the question again."""
    invitation, _, verdict = rest.partition(" ")
    found = invitations.find(ask.tx, ask.scope, invitation)
    account = _account(ask, found) if found else None
    if found is None or account is None or account.state == "refused":
        return (("binding.settled", {}),)
    if verdict == "yes":
        return _he(ask, found, account)
    if verdict == "no":
        invitations.void(ask.tx, found.person_id, ask.writer.person_id, ask.now, found.id)
        return _refused(ask, account, found.person_id, found.name, again=True)
    return (offices.who_bound(ask.tx, found, ask.today),)


def cut_off(ask: Ask, rest: str) -> Parts:
    """`PERSON ACCOUNT`: a phone that was lost can do nothing any more."""
    person_id, _, ref = rest.partition(" ")
    person = people.held(ask.tx, ask.scope, person_id)
    account = next((each for each in accounts.of(ask.tx, person.id) if each.ref == ref), None) if person else None
    if person is None or account is None or account.state != "active":
        return (("binding.settled", {}),)
    if (account.channel, account.account) == (ask.inbound.channel, ask.inbound.account):
        return (("binding.own", {"buttons": [[["button.channels", {}, "/channels"]]]}),)
    return _refused(ask, account, person.id, person.name)


def _account(ask: Ask, found: Invitation) -> Account | None:
    """The account that this invitation bound, where it still is as it was bound."""
    if found.account_state is None:
        return None
    return next((each for each in accounts.of(ask.tx, found.person_id)
                 if (each.channel, each.account) == (found.used_channel, found.used_account)), None)


def _he(ask: Ask, found: Invitation, account: Account) -> Parts:
    if account.state != "waiting":
        return (("binding.settled", {}),)
    notices.tell(ask.tx, BoundElsewhere(person=found.person_id, channel=account.channel), ask.now)
    if not accounts.decide(ask.tx, account, found.person_id, "active", ask.writer.person_id, ask.now):
        return (("binding.settled", {}),)
    said: Parts = (("binding.welcome", {
        "name": found.name, "offices": offices.of(ask.tx, found.person_id, ask.today), "by": ask.writer.name}),
        ("binding.say_hello", {}))
    fields = {"parts": said, "edits": ""}
    row = Outgoing(ask.tx.new_id(ask.now), account.channel, account.chat, "reply", "reply", fields)
    outbox.add(ask.tx, row, ask.now)
    return (("binding.confirmed", {"name": found.name}),)


def _refused(ask: Ask, account: Account, person_id: str, name: str, *, again: bool = False) -> Parts:
    if not accounts.decide(ask.tx, account, person_id, "refused", ask.writer.person_id, ask.now):
        return (("binding.settled", {}),)
    outbox.silence(ask.tx, account.channel, account.chat, "account refused", ask.now)
    buttons: Buttons = [[["button.invite_again", {"name": name}, f"/invite {person_id}"]]] if again else []
    return (("binding.cut_off", {"name": name, "channel": account.channel, "tail": account.tail, "again": again,
                                 "buttons": buttons}),)


COMMANDS = {"identify": identify, "cut_off": cut_off}
