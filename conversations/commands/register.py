"""登记, 补填, 更新: a file by chat, in the elder form (annex 2)."""

from conversations import lookup, session
from conversations.commands.ledger import to_complete
from conversations.commands.life import to_refresh
from conversations.draft import ABROAD, REVIEW, Answer, parse_answers
from conversations.engine import Part
from conversations.lookups import villages
from conversations.registering import FORM, answers_of
from conversations.registration import KIND
from conversations.turn import Ask
from storage import elder_files, proposals
from storage.elders import Elder
from storage.ids import millis


def register(ask: Ask, rest: str) -> tuple[Part, ...]:
    """A new file; the village is asked only of who works in several."""
    known = villages(ask)
    answers = {}
    if len(known) == 1:
        answers["village"] = Answer(known[0].id, millis(ask.now), "default")
    if not known:
        return (("registration.no_village", {}),)
    called = {"called": {"village": known[0].name}} if answers else {}
    return session.start(ask, FORM, called, answers)


def amend(ask: Ask, rest: str) -> tuple[Part, ...]:
    """A registration that was sent back: as it was given, to be changed and proposed again."""
    found = proposals.find(ask.tx, ask.scope, rest)
    if found is None or found.kind != KIND or found.made_by != ask.writer.person_id:
        return (("pending.gone", {"buttons": [[["button.mine", {}, "/my"]]]}),)
    if found.state != "refused":
        return (("pending.state", {"state": found.state}),)
    answers = parse_answers(found.body["answers"])
    village = next((area.name for area in villages(ask) if area.id == answers["village"].value), "")
    return session.start(ask, FORM, {"called": {"village": village}, "elder_name": found.body["name"]}, answers,
                         at=REVIEW)


def complete(ask: Ask, rest: str) -> tuple[Part, ...]:
    """What is missing in a file, question by question; with no name, the files that lack anything."""
    if not rest or rest.startswith("+"):
        return to_complete(ask, rest)
    return _open(ask, rest, whole=False)


def refresh(ask: Ask, rest: str) -> tuple[Part, ...]:
    """仍然如此吗: the file as it is known, to be confirmed or changed where it changed; with no name, whose
    turn it is (C3, every half year).
    """
    return _open(ask, rest, whole=True) if rest and not rest.startswith("+") else to_refresh(ask, rest)


def _open(ask: Ask, rest: str, *, whole: bool) -> tuple[Part, ...]:
    found = lookup.one(ask, rest)
    if not isinstance(found, Elder):
        return found
    file = elder_files.read(ask.tx, ask.scope, found.id)
    if file is None:
        return (("menu.elder_gone", {}),)
    ask.note("elder.revising", found.id, ("file",))
    wishes = elder_files.wishes_of(ask.tx, found.id)
    form = ask.house.book.current[FORM]
    answers = answers_of(form, file, millis(ask.now), wishes[0].basis if wishes else "",
                         skipping={ABROAD: ask.abroad} if whole else None)
    context = {"revises": found.id, "elder_id": found.id, "elder_name": found.name,
               "called": {"village": found.village}}
    return session.start(ask, FORM, context, answers, at=REVIEW if whole else "")


COMMANDS = {"register": register, "amend": amend, "complete": complete, "refresh": refresh}
