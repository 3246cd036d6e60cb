"""The link to a single-use page and its code, in two messages: who passes the link on does not pass the code on."""

from datetime import datetime

from conversations.engine import Part
from storage import pages
from storage.database import Tx
from storage.pages import VALID, Kind

PATH = "/f"
ALERTS = "/a"  # of the page behind an alert


def offer(tx: Tx, public: str, kind: Kind, person_id: str, now: datetime, file_id: str | None = None,
          ) -> tuple[Part, ...]:
    """Makes the page, and says where it is and what it will ask for."""
    token, code = pages.make(tx, kind, person_id, now, file_id)
    minutes = int(VALID.total_seconds() // 60)
    return ((f"files.page_{kind}", {"link": f"{public}{PATH}/{token}", "minutes": minutes}),
            ("break", {}), ("files.page_code", {"code": code}))


def offer_alert(tx: Tx, public: str, person_id: str, now: datetime, alert_id: str) -> tuple[Part, ...]:
    """The same of the page with what may not be shown abroad of an alert."""
    token, code = pages.make(tx, "alert", person_id, now, alert_id)
    minutes = int(VALID.total_seconds() // 60)
    return (("groups.page_link", {"link": f"{public}{ALERTS}/{token}", "minutes": minutes}),
            ("break", {}), ("groups.page_code", {"code": code}))
