"""Text messages to emergency contacts who have no account, where there is a gateway: of an alert, once each (C12).

Of the elder only surname + 某, of the matter nothing; whom to ask stands there. A message is no 已打通.
"""

from datetime import date, datetime
from typing import ClassVar

from scheduler import family_calls
from scheduler.notices import KINDS, Notice
from storage import alert_contacts, alerts, elder_files, meta, outbox, people
from storage.alerts import Alert
from storage.database import Tx
from storage.elders import NewElder
from storage.outbox import Lane, Outgoing
from storage.scope import SECRET

CHANNEL = "sms"
_ON = "channel/sms"


class AlertTexted(Notice):
    """For the contact at this place in the file of an alert's elder. Not wanted once he was reached, or it ended."""

    kind = "alert_texted"
    lane: ClassVar[Lane] = "alert"
    person: str = ""  # nobody whom the bot knows
    alert: str
    slot: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = alerts.unscoped(tx, self.alert)
        return (found is not None and found.running and not family_calls.withheld(found)
                and alert_contacts.of(tx, found.id).get(self.slot) != "reached" and bool(number(tx, self.chat)))

    def why(self, tx: Tx, today: date) -> str:
        found = alerts.unscoped(tx, self.alert)
        return f"alert {found.called}" if found else ""

    @property
    def chat(self) -> str:
        """Whose number it is: the number itself stands in no outbox."""
        return f"{self.alert}:{self.slot}"


KINDS[AlertTexted.kind] = AlertTexted


def enable(tx: Tx, *, on: bool) -> None:
    """Said at each start: whether there is a gateway."""
    said = "on" if on else "off"
    if (meta.get(tx, _ON) or "off") != said:
        meta.put(tx, _ON, said)


def tell(tx: Tx, alert: Alert, today: date, now: datetime) -> None:
    """Every contact in the file who has no account is written to, once."""
    file = _file(tx, alert)
    for contact in family_calls.without_account(tx, alert, file, today) if file else ():
        _text(tx, alert, contact.slot, now)


def last(tx: Tx, alert: Alert, person_id: str, now: datetime) -> None:
    """Somebody did not see it on any of his channels: where his number stands in the file, by his name, it is tried."""
    file, person = _file(tx, alert), people.find(tx, person_id)
    for slot, (name, phone) in family_calls.SLOTS.items() if file and person else ():
        if file and person and file.facts.get(name) == person.name and file.facts.get(phone):
            _text(tx, alert, slot, now)


def _file(tx: Tx, alert: Alert) -> NewElder | None:
    """The elder's file, where there is a gateway and anybody may be written to: of what is secret nobody, ever."""
    on = meta.get(tx, _ON) == "on" and not family_calls.withheld(alert) and alert.kind not in SECRET
    return elder_files.unscoped(tx, alert.elder_id) if on and alert.elder_id else None


def _text(tx: Tx, alert: Alert, slot: str, now: datetime) -> None:
    notice = AlertTexted(alert=alert.id, slot=slot)
    row = Outgoing(tx.new_id(now), CHANNEL, notice.chat, notice.lane, notice.kind, notice.model_dump())
    outbox.add(tx, row, now, unique_key=_key(alert, slot))


def sent(tx: Tx, alert: Alert, slot: str) -> bool:
    """Whether the gateway took the message to this contact."""
    return outbox.was_sent(tx, _key(alert, slot))


def number(tx: Tx, chat: str) -> str:
    """The phone number that a chat stands for, as it is in the file now; empty where there is none."""
    alert_id, _, slot = chat.partition(":")
    alert = alerts.unscoped(tx, alert_id)
    file = elder_files.unscoped(tx, alert.elder_id) if alert and alert.elder_id else None
    return str(file.facts.get(family_calls.SLOTS[slot][1]) or "") if file and slot in family_calls.SLOTS else ""


def _key(alert: Alert, slot: str) -> str:
    return f"alert:{alert.id}:sms:{slot}"
