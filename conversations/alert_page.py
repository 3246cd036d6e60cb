"""The page behind an alert, `/a/{token}`: who opens a forwarded link sees number, kind and state, and nothing else.

Who goes proves by six digits, sent to his own chat, who he is; then he sees what his chat at home would show him, and
may say that he goes. A link of one's own, for those whose chat stands abroad, asks for the same digits.
"""

import unicodedata
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Literal

from conversations import alert_telling, group_telling
from conversations.commands import alerts as commands
from conversations.commands import privacy
from conversations.engine import Part
from conversations.message import Inbound
from conversations.say import messages
from conversations.turn import Ask, House
from conversations.words_book import Words
from scheduler import alerting, notices
from scheduler.group_notices import AlertCode
from storage import accounts, alert_links, alerts, pages, people
from storage.accounts import Writer
from storage.alerts import Alert
from storage.database import Tx

Parts = tuple[Part, ...]
Show = Literal["unknown", "over", "who", "code", "used", "expired", "void", "alert"]
MOST_CODES = 3  # for one person at a time
MOST_NAMED = 3  # of one name
LONGEST_NAME = 40
_WORDS = Words()


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows: the line that all may read, and to who has proved who he is the card, and whether he may
    say that he goes.
    """

    show: Show
    line: str = ""
    card: tuple[str, ...] = field(default=(), repr=False)
    may_claim: bool = False


def leads(tx: Tx, token: str, now: datetime) -> bool:
    """Whether a link leads to an alert, whatever became of that."""
    return _alert(tx, token, now) is not None


def look(house: House, tx: Tx, token: str, held: str, grant: str, now: datetime) -> View:
    """What the link leads to. `held` are the tokens of whom the browser says it is (see `ask_for`), `grant` what the
    right digits gave it. A card that is shown is noted.
    """
    alert = _alert(tx, token, now)
    if alert is None:
        return View("unknown")
    brief = group_telling.brief(tx, alert)
    line = _WORDS.say("groups.page_line", {name: brief[name] for name in ("number", "what", "state", "drill")})
    if not alert.running:
        return View("over", line)
    own = token if _own(tx, token, now) else ""
    person = _entered(tx, own or held, grant, now)
    if person is None:
        if not own:  # not by what became of the digits: of a name that nobody has there are none
            return View("code" if held and not grant else "who", line)
        page = pages.find(tx, own, now)
        if page.state == "open":
            return View("code", line) if page.left else View("void")
        return View(page.state)
    ask = _ask(house, tx, person, now)
    found_here = alert_telling.found(tx, ask.scope, alert.id)
    if found_here is None:
        return View("void")
    elder = found_here[1]
    parts: Parts = commands.card(ask, alert.id)
    if elder and privacy.shows(ask, elder, "phone"):
        parts = (*parts, ("break", {}), *privacy.phone(ask, elder.id))
    may = alert.state == "open" and ask.may("claim") and alerting.may_go(
        tx, person, alert, house.policies, house.today(now))
    return View("alert", line, tuple(each.text for each in messages(parts, _WORDS, house.book)), may)


def ask_for(house: House, tx: Tx, token: str, name: str, now: datetime) -> str:
    """Sends six digits to whom of this name may go; gives what the browser is to keep of it.

    Whether there is anybody of that name, or several, cannot be told from it: it is as long for each, and what it is
    made of leads to no page.
    """
    alert = _alert(tx, token, now)
    name = "".join(unicodedata.normalize("NFKC", name).split())
    made = []
    if alert and alert.running and 0 < len(name) <= LONGEST_NAME and name.isprintable():
        able = (person for person in people.named(tx, name) if accounts.reached(tx, person)
                and alerting.may_go(tx, person, alert, house.policies, house.today(now)))
        for person in islice(able, MOST_NAMED):
            if pages.live(tx, "named", person, now) < MOST_CODES:
                own, code = pages.make(tx, "named", person, now, alert.id)
                notices.tell(tx, AlertCode(person=person, alert=alert.id, code=code), now)
                made.append(own)
    nobody = (urlsafe_b64encode(tx.random_bytes(16)).rstrip(b"=").decode() for _ in range(MOST_NAMED - len(made)))
    return ".".join((*made, *nobody))


def enter(tx: Tx, token: str, held: str, code: str, now: datetime) -> str | None:
    """Tries six digits, which counts; for the right ones what `look` wants to see. They serve once."""
    own = token if _own(tx, token, now) else held
    for each in own.split(".")[:MOST_NAMED] if own else ():
        grant = pages.enter(tx, each, code, now)
        if grant and pages.use(tx, each, now):
            return grant
    return None


def claim(house: House, tx: Tx, token: str, held: str, grant: str, now: datetime) -> bool:
    """Who has proved who he is goes; all is checked as at the press of a button in chat."""
    alert = _alert(tx, token, now)
    person = _entered(tx, token if _own(tx, token, now) else held, grant, now)
    if alert is None or person is None:
        return False
    ask = _ask(house, tx, person, now)
    return ask.may("claim") and alerting.may_go(tx, person, alert, house.policies, house.today(now)) and (
        alerting.claim(tx, alert, person, house.policies, now) is not None)


def _alert(tx: Tx, token: str, now: datetime) -> Alert | None:
    page = pages.find(tx, token, now)
    alert_id = page.file_id if page.kind == "alert" else alert_links.find(tx, token)
    return alerts.unscoped(tx, alert_id) if alert_id else None


def _own(tx: Tx, token: str, now: datetime) -> bool:
    return pages.find(tx, token, now).kind == "alert"


def _entered(tx: Tx, own: str, grant: str, now: datetime) -> str | None:
    """Who has shown the right digits of one of these pages, while its time is not over."""
    for each in own.split(".")[:MOST_NAMED] if grant else ():
        page = pages.find(tx, each, now)
        if page.kind in ("alert", "named") and page.fresh and pages.entered(tx, each, grant):
            person = people.find(tx, page.person_id)
            return person.id if person and person.status == "active" else None
    return None


def _ask(house: House, tx: Tx, person_id: str, now: datetime) -> Ask:
    """He asks as in a chat at home."""
    person = people.find(tx, person_id)
    assert person is not None  # he was found a moment ago
    writer = Writer(person.id, person.name, True, "active", False, None, None)
    return Ask(house, tx, Inbound("", "", "", "", now), writer, now)
