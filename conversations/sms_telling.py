"""What a text message says of an alert: surname + 某 and the number, nothing more."""

from collections.abc import Callable
from typing import Any

from conversations.engine import Part
from conversations.words_book import pseudonym
from scheduler.sms import AlertTexted
from storage import alerts, elders
from storage.database import Tx
from storage.scope import Scope


def _texted(tx: Tx, notice: AlertTexted, scope: Scope) -> tuple[Part, ...] | None:
    alert = alerts.unscoped(tx, notice.alert)
    elder = elders.unscoped(tx, alert.elder_id) if alert and alert.elder_id else None
    if alert is None or elder is None:
        return None
    return (("sms.alert", {"name": pseudonym(elder.name), "number": alert.called}),)


TELL: dict[str, Callable[[Tx, Any, Scope], tuple[Part, ...] | None]] = {AlertTexted.kind: _texted}
