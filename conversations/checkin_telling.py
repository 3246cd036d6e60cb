"""What notices of 报平安 say: to the elder himself, to who is near him, and to the village."""

from collections.abc import Callable
from typing import Any

from conversations.alert_telling import name
from conversations.engine import Part
from conversations.turn import label
from scheduler.checkin_notices import (
    CheckInAsk,
    CheckInContact,
    CheckInSilent,
    CheckInSkipped,
    CheckInUnanswered,
    CheckInUnwell,
    CheckInWell,
    OfDay,
)
from storage import elders
from storage.database import Tx
from storage.elders import Elder
from storage.scope import Scope

Parts = tuple[Part, ...]
Buttons = list[list[list[object]]]
ANSWERS: Buttons = [[["button.well", {}, "/well"]], [["button.unwell", {}, "/unwell"], ["button.sos", {}, "/sos"]]]


def _of_elder(say: Callable[[Tx, Any, Elder], Parts]) -> Callable[[Tx, Any, Scope], Parts | None]:
    def told(tx: Tx, notice: OfDay, scope: Scope) -> Parts | None:
        elder = elders.find(tx, scope, notice.elder)
        return say(tx, notice, elder) if elder else None
    return told


def _ask(tx: Tx, notice: CheckInAsk, elder: Elder) -> Parts:
    return (("checkins.ask", {"name": elder.name, "again": notice.again, "buttons": ANSWERS}),)


def _contact(tx: Tx, notice: CheckInContact, elder: Elder) -> Parts:
    buttons: Buttons = [[["button.reached", {}, f"/reached {elder.id} yes"]],
                        [["button.not_reached", {}, f"/reached {elder.id} no"]]]
    return (("checkins.contact", {"elder": label(elder), "minutes": notice.minutes, "buttons": buttons}),)


def _well(tx: Tx, notice: CheckInWell, elder: Elder) -> Parts:
    return (("checkins.well", {"elder": elder.name, "by": name(tx, notice.by)}),)


def _skipped(tx: Tx, notice: CheckInSkipped, elder: Elder) -> Parts:
    return (("checkins.skipped", {"elder": label(elder), "day": notice.day, "until": notice.until,
                                  "buttons": _call(elder)}),)


def _unanswered(tx: Tx, notice: CheckInUnanswered, elder: Elder) -> Parts:
    return (("checkins.unanswered", {"elder": label(elder), "day": notice.day, "buttons": _call(elder)}),)


def _silent(tx: Tx, notice: CheckInSilent, elder: Elder) -> Parts:
    return (("checkins.silent", {"elder": label(elder), "buttons": [
        [["button.checkin", {}, f"/checkin {elder.id}"]]]}),)


def _unwell(tx: Tx, notice: CheckInUnwell, elder: Elder) -> Parts:
    return (("checkins.said_unwell", {"elder": label(elder), "what": notice.what, "buttons": _call(elder)}),)


def _call(elder: Elder) -> Buttons:
    return [[["button.file", {}, f"/elder {elder.id}"]]]


TELL: dict[str, Callable[[Tx, Any, Scope], Parts | None]] = {
    CheckInAsk.kind: _of_elder(_ask), CheckInContact.kind: _of_elder(_contact), CheckInWell.kind: _of_elder(_well),
    CheckInSkipped.kind: _of_elder(_skipped), CheckInUnanswered.kind: _of_elder(_unanswered),
    CheckInSilent.kind: _of_elder(_silent), CheckInUnwell.kind: _of_elder(_unwell)}
