"""What somebody does in a group: a claim, the word that binds the group, and a cry for help are heard. Nothing else is
kept.

Whatever is answered goes to him in private: in a group nothing is said about anybody (bot/dispatch.py sees to it).
"""

from datetime import datetime

from conversations import binding, commands, crying
from conversations.controls import plain
from conversations.engine import Part
from conversations.message import Inbound
from conversations.turn import House
from scheduler import alerting, village_groups
from storage import accounts, alerts
from storage.accounts import Writer
from storage.database import Tx

Parts = tuple[Part, ...]
HEARD = ("claim",)  # buttons that work in a group
SAID = ("bind_group",)  # words that do
CRY: Part = ("groups.cry", {"buttons": [[["button.sos", {}, "/sos"]]]})  # asked once: it may be talk about something


def concerns(inbound: Inbound) -> bool:
    """Whether it is for us at all: what people say to each other in a group is not even kept."""
    if inbound.event:
        return True
    if _cries(inbound):
        return True
    call = commands.called(inbound.choice or plain(inbound.text))
    return call is not None and call[0] in (HEARD if inbound.choice else SAID)


def _cries(inbound: Inbound) -> bool:
    cry = None if inbound.choice else crying.heard(inbound.text)
    return cry is not None and cry.clear


def happened(tx: Tx, inbound: Inbound, now: datetime) -> None:
    """The platform tells of the group itself."""
    match inbound.event:
        case "joined":
            village_groups.joined(tx, inbound.channel, inbound.chat, now)
        case "removed":
            village_groups.lost(tx, inbound.channel, inbound.chat, now)
        case "moved":
            village_groups.moved(tx, inbound.channel, inbound.chat, inbound.about, now)
        case "member_left":
            if who := accounts.writer(tx, inbound.channel, inbound.about):
                village_groups.member_left(tx, inbound.channel, inbound.chat, who.person_id, now)


def turned_away(house: House, tx: Tx, inbound: Inbound, writer: Writer | None, now: datetime) -> Parts | None:
    """What he is told who may not do this here; None: it goes on as what he says in private does."""
    if not inbound.choice:
        if writer is None or not _cries(inbound):
            return () if writer is None else None
        return (CRY,) if writer.active else binding.stopped(writer)
    if writer is None:
        return (("groups.stranger", {}),)
    if not writer.active:
        return binding.stopped(writer)
    alert = alerts.unscoped(tx, inbound.choice.partition(" ")[2])
    if alert and alerting.may_go(tx, writer.person_id, alert, house.policies, house.today(now)):
        return None
    return (("groups.not_to_go", {}),)
