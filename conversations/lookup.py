"""Finding an elder by what people type: name, part of it, pinyin initials, number, or a place in a list just shown."""

import re
from datetime import date, timedelta
from typing import Any

from conversations import families, spoken
from conversations.answers import place
from conversations.draft import Candidate
from conversations.engine import Part
from conversations.turn import Ask, label
from scheduler.visitor_kinds import minor
from storage import elders, visits
from storage.elders import Elder

MOST = 9  # more than that is not a choice any more
LISTED = 8
NUMBER = re.compile(r"(?:编号|#|No\.?)?\s*(\d{1,6})\s*号?", re.IGNORECASE)


def listing(ask: Ask) -> tuple[Candidate, ...]:
    """Whom to offer before anything is typed: who is due first."""
    return tuple(Candidate(elder.id, label(elder)) for elder in elders.due_first(ask.tx, ask.scope, LISTED))


def find(ask: Ask, text: str, listed: list[str]) -> tuple[Candidate, ...]:
    """Everyone the text may mean; a single one comes with what a visit must know of him."""
    if (index := place(text, len(listed))) is not None:
        return by_id(ask, listed[index])
    return _candidates(ask, matching(ask, text) or _in_group(ask, text, listed))


def _in_group(ask: Ask, text: str, listed: list[str]) -> list[Elder]:
    """3组: who of those just shown lives there, where two bear one name."""
    shown = [elder for each in listed if (elder := elders.find(ask.tx, ask.scope, each)) and elder.status != "closed"]
    return [elder for elder in shown if elder.group_name and text.strip() in (
        elder.group_name, f"{elder.village}{elder.group_name}")]


def matching(ask: Ask, text: str) -> list[Elder]:
    """The elders in scope that the text may mean: the exact name goes before a part of one, that before 去看张大爷."""
    text = text.strip()
    if not text or len(text) > 40:
        return []
    found = _written(ask, text)
    if not found and (name := spoken.name(text)):
        found = _written(ask, name) or _titled(ask, name)
    return found or _titled(ask, text)


def _written(ask: Ask, text: str) -> list[Elder]:
    if number := NUMBER.fullmatch(text):
        return elders.numbered(ask.tx, ask.scope, int(number[1]), MOST)
    return elders.named(ask.tx, ask.scope, text, MOST) or elders.matching(ask.tx, ask.scope, text, MOST)


def _titled(ask: Ask, text: str) -> list[Elder]:
    """张大爷, 老张: those of this surname and sex, or of the surname alone where no such one is there."""
    if (called := spoken.title(text)) is None:
        return []
    surname, sex = called
    found = [each for each in elders.matching(ask.tx, ask.scope, surname, MOST) if each.name.startswith(surname)]
    return [each for each in found if each.sex == sex] or found


def one(ask: Ask, rest: str, command: str = "elder") -> Elder | tuple[Part, ...]:
    """The one elder that is named or pressed; else what is said instead: whom to choose from, for this command.

    A coordinator finds closed files by their full name.
    """
    if not rest:
        return (("menu.which_elder", {}),)
    by_id = elders.find(ask.tx, ask.scope, rest)
    found = [by_id] if by_id else [*matching(ask, rest), *elders.closed_named(ask.tx, ask.scope, rest, MOST)]
    if not found:
        return (("menu.elder_gone", {}),)
    if len(found) > 1:
        buttons = [[["button.person", {"label": label(each)}, f"/{command} {each.id}"]] for each in found]
        return (("form.which", {"count": len(found), "buttons": buttons}),)
    return found[0]


def by_id(ask: Ask, elder_id: str) -> tuple[Candidate, ...]:
    """The elder of a button, if he is in scope."""
    elder = elders.find(ask.tx, ask.scope, elder_id)
    return _candidates(ask, [elder] if elder and elder.status != "closed" else [])


def _candidates(ask: Ask, found: list[Elder]) -> tuple[Candidate, ...]:
    if len(found) == 1:
        return (Candidate(found[0].id, label(found[0]), context(ask, found[0])),)
    return tuple(Candidate(elder.id, label(elder)) for elder in found)


def context(ask: Ask, elder: Elder) -> dict[str, Any]:
    """What a visit's draft knows of the elder: name, last answers, whether the mood screening is due (C5)."""
    before = [each for each in visits.last(ask.tx, ask.scope, elder.id) if families.may_read(ask, each)]
    ask.note("elder.open", elder.id, ("name", "last_visit"))
    since = elder.last_screening_on
    screening_due = since is None or ask.today - date.fromisoformat(since) > timedelta(
        days=ask.policy(elder.village_id).screening_days)
    return {
        "elder_id": elder.id, "elder_name": elder.name, "registered_on": elder.registered_on,
        "screening_due": screening_due, "under_age": minor(ask.person.minor_until, ask.today),
        "hours": ask.kind is not None and ask.kind.hours,
        "last": {question: answer[0] for question, answer in before[0].answers.items()} if before else {},
    }
