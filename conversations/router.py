"""One decision for each message: command, form, or menu."""

from datetime import datetime
from typing import Any

from conversations import (
    adding,
    binding,
    commands,
    crying,
    drilling,
    in_group,
    lookup,
    menus,
    session,
    spoken,
    template,
)
from conversations.commands import exchange, family, general, sos, wecom
from conversations.controls import control, plain
from conversations.draft import TO_ASK, Answer
from conversations.engine import Event, Part
from conversations.message import Inbound
from conversations.turn import Ask, House
from storage import accounts, drafts, visits
from storage.accounts import OpenDraft, Writer
from storage.database import Tx
from storage.ids import millis

Parts = tuple[Part, ...]
IN_A_FORM = ("question", "review", "change", "cancel", "which")  # parts that show where a form stands
IN_SOS = ("sos.whom", "sos.where", "sos.what")  # 紧急 asks
BREAK: Part = ("break", {})  # what follows is a message of its own
YES = {"buttons": [[["button.sos_yes", {}, "/sos"]]]}
REALLY: Part = ("sos.really", YES)
DANGER: Part = ("asking.danger", YES)
MOST_BLOCKS = 20  # visits taken from one message: a unit of work is short


def answer(house: House, tx: Tx, inbound: Inbound, now: datetime) -> Parts:
    """What this message is answered with; everything that it causes is written in `tx`. Empty: say nothing.

    What is done in a group is answered too, but never there.
    """
    if inbound.event:
        in_group.happened(tx, inbound, now)
        return ()
    writer = accounts.writer(tx, inbound.channel, inbound.account)
    if inbound.chat_kind == "group" and (
            away := in_group.turned_away(house, tx, inbound, writer, now)) is not None:
        return away
    token = _invitation(inbound.text)
    if token:
        return _invited(house, tx, inbound, writer, token, now)
    if writer is None:
        cry = crying.heard(inbound.text)
        cries = bool(cry and cry.clear) or (inbound.chat_kind != "group" and spoken.danger(inbound.text))
        if inbound.choice == "/sos" or cries:  # a menu below the chat shows the button to everybody
            return (("sos.stranger", {}),)
        return binding.said(tx, inbound, house.today(now), now)
    if not writer.active:
        return binding.stopped(writer)
    if writer.was_blocked:
        accounts.blocked(tx, inbound.channel, inbound.chat, None)
    ask = Ask(house, tx, inbound, writer, now)
    drill = drilling.meant(ask)  # before it is answered: a form may be done with then
    said = _in_form(ask, writer.draft) if writer.draft else _without_form(ask)
    if drill and said:
        said = (drilling.MARK, *said)
    if said and said[-1][0] in IN_A_FORM and menus.asks_sos(menus.kept(ask)):
        menus.forget(ask)  # the form is what stands last now
    menus.keep(tx, inbound.channel, inbound.account, said)
    return said


def edits_in_place(inbound: Inbound, said: Parts) -> bool:
    """Whether the question whose button was tapped may become the next one, instead of a new message."""
    kinds = [kind for kind, _ in said]
    return bool(inbound.source) and bool(kinds) and kinds[-1] in IN_A_FORM and BREAK[0] not in kinds and not (
        inbound.choice.startswith("/") or "refuse.old_button" in kinds or "refuse.strange_button" in kinds)


# Who is not known yet


def _invitation(text: str) -> str:
    word, _, token = text.strip().partition(" ")
    return token.strip() if word == "/start" else ""


def _invited(house: House, tx: Tx, inbound: Inbound, before: Writer | None, token: str, now: datetime) -> Parts:
    said, bound = binding.opened(tx, inbound, before, token, house.today(now), now)
    writer = accounts.writer(tx, inbound.channel, inbound.account) if bound else None
    if writer is None:
        return said
    ask = Ask(house, tx, inbound, writer, now)
    said = (*said, *general.start(ask, ""))
    menus.keep(tx, inbound.channel, inbound.account, said)
    return said


# Inside a form


def _in_form(ask: Ask, draft: OpenDraft) -> Parts:
    inbound = ask.inbound
    if inbound.choice:
        return _tapped(ask, draft)
    if exchange.has_file(inbound):
        return (("refuse.file_in_form", {}), *session.again(ask, draft))
    if (cried := _cry(ask, draft)) is not None:
        return cried
    text = plain(inbound.text)
    if text and template.is_one(inbound.text, commands.VISIT_OPENERS):
        return _template(ask)
    menu = menus.kept(ask)
    meant = menus.of_an_alert(menu, text) or text  # its label means the alert that it stood under
    call = commands.called(meant) if text and not control(text) else None
    if call and (meant.startswith("/") or not call[1] or not session.is_writing(ask, draft)):
        return _aside(ask, draft, _command(ask, *call))
    if (added := adding.taken(ask, draft)) is not None:
        return _aside(ask, draft, (*added, *_sos_on(ask)))
    if text and not control(text) and menus.asks_sos(menu):
        return _aside(ask, draft, _to_sos(ask, text))
    if text in sos.LINES and session.is_choosing(ask, draft):
        return _aside(ask, draft, sos.dial(text))
    said = session.step(ask, draft, Event(inbound.text, None, session.keep_media(ask), session.where(ask)))
    if said and said[0][0].startswith("refuse.") and spoken.danger(text) and ask.may("sos"):
        return (*menus.without_numbers((DANGER,)), BREAK, *said[1:])
    return said


def _tapped(ask: Ask, draft: OpenDraft | None) -> Parts:
    choice = ask.inbound.choice
    if choice.startswith("/"):
        call = commands.called(choice)
        said: Parts = _command(ask, *call) if call else (("refuse.strange_button", {}),)
        return _aside(ask, draft, said) if draft else said
    tag, _, rest = choice.partition(".")
    where, _, what = rest.partition(".")
    if draft and tag == draft.tag:
        return session.step(ask, draft, Event(tap=(where, what)))
    said = _old_button(ask, tag)
    return (*said, *session.again(ask, draft)) if draft else said


def _old_button(ask: Ask, tag: str) -> Parts:
    """A button of a form that is not open: submitted, put aside, cancelled, or somebody else's."""
    kept = drafts.tagged(ask.tx, ask.writer.person_id, tag) if len(tag) <= 32 else None
    if kept and kept.state == "submitted" and kept.result and (
            visit := visits.find(ask.tx, ask.scope, kept.result)):
        if visit.state == "void":
            return (("menu.voided_already", {}),)
        return (("form.submitted_before", {"number": visit.number}),)
    if kept and kept.state == "paused" and ask.writer.draft is None:
        return session.resume(ask, kept)
    return (("refuse.strange_button", {}),)


def _cry(ask: Ask, draft: OpenDraft | None) -> Parts | None:
    """What a message that begins with 紧急 is answered with. Where it may be an answer, it is kept as one, and asked
    once whether it is an emergency; None: it is no such message.
    """
    cry = crying.heard(ask.inbound.text)
    if cry is None or not ask.may("sos"):
        return None
    writing = draft is not None and session.is_writing(ask, draft)
    if cry.alone or (cry.clear and not writing):
        said = _command(ask, "sos", cry.rest)
        adding.with_cry(ask)
        return _aside(ask, draft, said) if draft else said
    if draft and writing:
        asked = menus.without_numbers((REALLY,))
        return (*asked, BREAK, *session.step(ask, draft, Event(ask.inbound.text, None, session.keep_media(ask), "")))
    return _aside(ask, draft, (REALLY,)) if draft else (REALLY,)


def _aside(ask: Ask, draft: OpenDraft, said: Parts) -> Parts:
    """A command in the middle of a form is answered, then the form goes on at the same question.

    While 紧急 asks whom and what, it waits: what is typed next is for the menu that stands last.
    """
    if said and said[-1][0] in IN_A_FORM:
        return said
    if said and said[-1][0] in IN_SOS:
        return (*said, ("sos.form_waits", {}))
    return (*menus.without_numbers(said), BREAK, ("form.back_to", {}), *session.again(ask, draft))


def _to_sos(ask: Ask, text: str) -> Parts:
    """What is typed right after 紧急 answers it, by number, label or name, or is more to be said of it; never the form,
    and no other elder's file. A wrong number is asked again, so that the buttons stand under it.
    """
    menu = menus.kept(ask)
    call = commands.called(menus.token(menu, text))
    if call:
        return _command(ask, *call)
    said = sos.typed(ask, str(menu.buttons[0][2]), text)
    wrong: Parts = (("refuse.choice", {"count": len(menu.buttons)}),)
    return (*wrong, *said) if text.isdigit() and text not in sos.LINES else said


def _sos_on(ask: Ask) -> Parts:
    """What 紧急 was asking when a photo or a place came between."""
    menu = menus.kept(ask)
    return sos.on(ask, str(menu.buttons[0][2])) if menus.asks_sos(menu) else ()


# Outside a form


def _without_form(ask: Ask) -> Parts:
    if ask.inbound.choice:
        return _tapped(ask, None)
    if exchange.has_file(ask.inbound):
        return exchange.received(ask) if ask.may("import") else (
            ("refuse.file", {}), *general.start(ask, ""))
    if (cried := _cry(ask, None)) is not None:
        return cried
    if (added := adding.taken(ask, None)) is not None:
        return (*added, *_sos_on(ask))
    text = plain(ask.inbound.text)
    if wecom.pasted(ask.inbound.text.strip()):
        return _command(ask, "robot", ask.inbound.text)
    if text and template.is_one(ask.inbound.text, commands.VISIT_OPENERS):
        return _template(ask)
    menu = menus.kept(ask)
    text = menus.of_an_alert(menu, text) or text
    if text and (call := commands.called(text) or commands.called(menus.token(menu, text))):
        return _command(ask, *call)
    if text and _sos_on(ask):
        return _to_sos(ask, text)
    if text in sos.LINES:
        return sos.dial(text)
    if ask.may("family") and (button := spoken.call(text)):
        return family.said(ask, button)
    if spoken.danger(text) and ask.may("sos"):
        return (DANGER,)
    if (1 if not text.isascii() else 2) <= len(text) <= 20 and ask.may("elder") and lookup.matching(ask, text):
        return _command(ask, "elder", text)
    return (("asking.no_form" if control(text) else "refuse.unknown", {}), *general.start(ask, ""))


def _command(ask: Ask, name: str, rest: str) -> Parts:
    if not ask.may(name):
        return (("menu.not_allowed", {}),)
    return commands.ACTIONS[name](ask, rest)


# Several visits in one message


def _template(ask: Ask) -> Parts:
    if not ask.may("visit"):
        return (("menu.not_allowed", {}),)
    form = ask.house.book.current["visit"]
    blocks = template.read(form, ask.inbound.text, commands.VISIT_OPENERS, ask.today, ask.now)
    first, *others = blocks[:MOST_BLOCKS]
    said = _block(ask, first)
    for block in others:
        context, answers, typed = _whom(ask, block)
        unclear = [*([typed] if typed else []), *block.unclear]
        session.put_aside(ask, form, {**context, "unclear": unclear}, answers)
    taken: Parts = (("menu.template_taken", {
        "count": 1 + len(others), "left": len(blocks) - 1 - len(others)}),) if others else ()
    return (*taken, *said)


def _block(ask: Ask, block: template.Block) -> Parts:
    context, answers, typed = _whom(ask, block)
    unclear: Parts = (("menu.template_unclear", {"lines": block.unclear}),) if block.unclear else ()
    return (*unclear, *session.start(ask, "visit", context, answers, typed))


def _whom(ask: Ask, block: template.Block) -> tuple[dict[str, Any], dict[str, Answer], str]:
    """What the draft begins with, and the name where it does not mean one elder."""
    to_ask: dict[str, Any] = {TO_ASK: block.to_ask} if block.to_ask else {}
    found = lookup.find(ask, block.elder, []) if block.elder else ()
    if len(found) != 1:
        return to_ask, block.answers, block.elder
    elder = Answer(found[0].id, millis(ask.now), "template")
    return {**found[0].context, **to_ask}, {"elder": elder, **block.answers}, ""
