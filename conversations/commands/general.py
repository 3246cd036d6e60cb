"""你好, 帮助: where everything begins."""

from conversations import checkins, session
from conversations.draft import Draft, parse
from conversations.engine import Part
from conversations.turn import Ask
from conversations.words_book import Words
from storage import drafts, people, proposals
from storage.drafts import Kept
from storage.ids import instant

MOST_COUNTED = 30  # drafts put aside
MOST_OFFERED = 5
MOST_LINES = 16  # of the help, read at arm's length
EVERYDAY = "day"  # the topic shown at once
_WORDS = Words()


def start(ask: Ask, rest: str) -> tuple[Part, ...]:
    """The menu, with what was put aside on top; an elder has a page of his own."""
    if ask.roles == {people.OWN}:
        return checkins.home(ask)
    return (*_paused(ask), ("menu.home" if ask.may("mine") or ask.may("family") else "menu.home_idle", {
        "name": ask.writer.name, "buttons": [*_resuming(ask), *menu(ask)]}))


def help_(ask: Ask, rest: str) -> tuple[Part, ...]:
    """What the asker may do, and nothing else: where it is much, the everyday part of it and the other topics."""
    from conversations.commands import NAMES, TOPICS  # the list of all commands, this one among them

    lines = {topic: [NAMES[name].about for name in names if ask.may(name)] for topic, names in TOPICS.items()}
    if rest in lines and rest != EVERYDAY:
        return (("helping.topic", {"topic": rest, "lines": lines[rest], "buttons": _topics(lines)}),)
    every = [line for part in lines.values() for line in part]
    short = len(every) > MOST_LINES and rest != _WORDS.say("helping.all")
    return (("menu.help", {
        "lines": lines[EVERYDAY] if short else every, "forms": ask.may("visit"), "elder": ask.may("elder"),
        **({"buttons": _topics(lines)} if short else {})}),)


def _topics(lines: dict[str, list[str]]) -> list[list[list[object]]]:
    """A button for each topic of which there is something to say."""
    buttons: list[list[object]] = [["button.topic", {"topic": topic}, f"/help {topic}"]
                                   for topic, those in lines.items() if those and topic != EVERYDAY]
    return [buttons[i:i + 2] for i in range(0, len(buttons), 2)]


def unfinished(ask: Ask, rest: str) -> tuple[Part, ...]:
    """没填完: the drafts that were put aside."""
    said = _paused(ask)
    if not said:
        return (("menu.nothing_paused", {"buttons": menu(ask)}),)
    kind, fields = said[0]
    return ((kind, {**fields, "buttons": _resuming(ask)}),)


def resume(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Goes on with one of them: the one named, or the oldest."""
    kept = drafts.find(ask.tx, ask.writer.person_id, rest) if rest else next(iter(_kept(ask)), None)
    return session.resume(ask, kept) if kept else (("menu.nothing_paused", {"buttons": menu(ask)}),)


def menu(ask: Ask) -> list[list[list[object]]]:
    """The buttons of the menu that this person may press."""
    rows: list[list[list[object]]] = []
    if ask.may("visit"):
        rows.append([["button.visit", {}, "/visit"], ["button.mine", {}, "/my"]])
    elif ask.may("mine"):
        rows.append([["button.mine", {}, "/my"]])
    if ask.may("family"):
        rows.append([["button.family", {}, "/family"]])
    if ask.may("assign"):  # who coordinates begins with what is open
        rows.append([["button.overdue_list", {}, "/overdue"], ["button.alerts", {}, "/alerts"],
                     ["button.month_now", {}, "/month"]])
    more: list[list[object]] = []
    if ask.may("register"):
        more.append(["button.register_one", {}, "/register"])
    if ask.may("pending") and (waiting := sum(proposals.waiting_counts(ask.tx, ask.scope).values())):
        more.append(["button.pending_many", {"count": waiting}, "/pending"])
    last: list[list[object]] = [["button.help", {}, "/help"]]
    if ask.may("template"):
        last.insert(0, ["button.template", {}, "/template"])
    return [*rows, *([more] if more else []), last, [["button.sos", {}, "/sos"]]]


def _kept(ask: Ask) -> list[Kept]:
    """What was put aside, but for elders and tasks that are not theirs any more."""
    paused = drafts.paused(ask.tx, ask.writer.person_id, MOST_COUNTED)
    return [kept for kept in paused if session.theirs(ask, _draft(kept)) and session.allowed(ask, kept.form)]


def _draft(kept: Kept) -> Draft:
    return parse(kept.id, kept.tag, kept.form_hash, kept.body)


def _elder(kept: Kept) -> str:
    return str(_draft(kept).context.get("elder_name", ""))


def _paused(ask: Ask) -> tuple[Part, ...]:
    kept = _kept(ask)
    if not kept:
        return ()
    if len(kept) > 1:
        return (("menu.paused_many", {"count": len(kept)}),)
    day = instant(kept[0].created_at).astimezone(ask.house.policy.zone).date()
    return (("menu.paused_one", {"elder": _elder(kept[0]), "day": day.isoformat()}),)


def _resuming(ask: Ask) -> list[list[list[object]]]:
    return [[["button.resume", {"elder": _elder(kept)}, f"/resume {kept.id}"]] for kept in _kept(ask)[:MOST_OFFERED]]


COMMANDS = {"start": start, "help": help_, "drafts": unfinished, "resume": resume}
