"""A person's form from opening to its end: what the pure engine decides is written here, in the turn's unit of work."""

from dataclasses import replace
from typing import Any

from conversations import checks, engine, outcomes, permissions
from conversations.controls import plain
from conversations.draft import ABROAD, Answer, Candidate, Draft, dump, parse
from conversations.engine import Event, Facts, Part, Turn
from conversations.form import Form, Question
from conversations.lookups import LOOK_UPS
from conversations.turn import Ask
from storage import drafts, elders, forms, media
from storage.accounts import OpenDraft
from storage.drafts import Kept

WHO = ("elder_id", "elder_name", "registered_on")
QUEUED = "queued"  # a draft from a text template with several visits: it comes up when the one before is done


def start(ask: Ask, name: str, context: dict[str, Any], answers: dict[str, Answer] | None = None,
          typed: str = "", at: str = "") -> tuple[Part, ...]:
    """Opens a form and asks its first open question, or stands at `at` (REVIEW); what was open is put aside.

    `typed` is what was said of the elder, where that is the first question.
    """
    before = _make_room(ask)
    form = ask.house.book.current[name]
    draft = _here(ask, Draft(ask.tx.new_id(ask.now), drafts.new_tag(ask.tx), form.hash, at, answers or {}, context))
    turn = engine.resume(form, draft, _facts(ask)) if at else engine.begin(form, draft, _facts(ask), ask.now)
    question = form.by_id.get(turn.draft.at)
    if typed and question is not None and question.kind == "person":
        event = Event(typed)
        turn = engine.advance(form, turn.draft, event, _facts_of_person(ask, question, turn.draft, event), ask.now)
    else:
        turn = _with_listing(ask, form, turn)
    _add(ask, form, turn.draft)
    return (*before, *turn.say)


def _make_room(ask: Ask) -> tuple[Part, ...]:
    """Puts the open form aside; one in which nothing was done yet (a button tapped twice) just goes."""
    kept = ask.writer.draft
    if kept is None:
        return ()
    answers = _opened(ask, kept).answers
    opened = int(kept.id[:12], 16)  # a UUIDv7 begins with its time in milliseconds
    begun = any(answer.at > opened or answer.manner == "template" for answer in answers.values())
    closed = drafts.close(ask.tx, kept.id, "paused" if begun else "cancelled", ask.now)
    return (("form.put_aside", {}),) if closed and begun else ()


def put_aside(ask: Ask, form: Form, context: dict[str, Any], answers: dict[str, Answer]) -> None:
    """Keeps a filled draft for later, without showing it."""
    draft = Draft(ask.tx.new_id(ask.now), drafts.new_tag(ask.tx), form.hash, "", answers, {**context, QUEUED: True})
    _add(ask, form, engine.begin(form, draft, _facts(ask), ask.now).draft, state="paused")


def step(ask: Ask, kept: OpenDraft, event: Event) -> tuple[Part, ...]:
    """One event in the open form."""
    draft = _current(ask, kept)
    if not isinstance(draft, Draft):
        return draft
    form = ask.house.book.current[kept.form]
    question = form.by_id.get(draft.at)
    facts = _facts(ask)
    if question is not None and question.kind == "person":
        facts = _facts_of_person(ask, question, draft, event)
    turn = engine.advance(form, draft, event, facts, ask.now)
    if question is not None and question.check and turn.draft.answers.get(question.id) != draft.answers.get(
            question.id):
        turn = _checked(ask, form, question, turn)
    if turn.outcome == "ask":
        if not facts.listing:
            turn = _with_listing(ask, form, turn)
        if turn.part:
            outcomes.part_done(ask, form, turn.draft)
        if turn.draft is not draft:
            _save(ask, turn.draft)
        return turn.say
    return _ended(ask, form, turn)


def _checked(ask: Ask, form: Form, question: Question, turn: Turn) -> Turn:
    """The turn again, where what was answered made the store tell something that changes what comes next."""
    found, say = checks.CHECKS[question.check](ask, turn.draft)
    if not say and all(turn.draft.context.get(name) == value for name, value in found.items()):
        return turn
    known = replace(turn.draft, context={**turn.draft.context, **found})
    return engine.onward(form, known, _facts(ask), *turn.say[:-1], *say)


def again(ask: Ask, kept: OpenDraft) -> tuple[Part, ...]:
    """The question at which the open form stands."""
    draft = _current(ask, kept)
    if not isinstance(draft, Draft):
        return draft
    form = ask.house.book.current[kept.form]
    return _with_listing(ask, form, engine.resume(form, draft, _facts(ask))).say


def theirs(ask: Ask, draft: Draft) -> bool:
    """Whether the draft's elder is in the person's scope today: it holds his name and what the last visit found."""
    elder = draft.context.get("elder_id")
    return elder is None or elders.in_scope(ask.tx, ask.scope, elder)


def allowed(ask: Ask, form: str) -> bool:
    """Whether the person may still do what the form is for."""
    command = permissions.BY_FORM.get(form)
    return command is None or ask.may(command)


def elder_of(ask: Ask) -> str:
    """The elder of the open form, by id; empty where none is open, or it is about nobody of theirs."""
    draft = _opened(ask, ask.writer.draft) if ask.writer.draft else None
    elder = str(draft.context.get("elder_id") or "") if draft else ""
    return elder if elder and elders.in_scope(ask.tx, ask.scope, elder) else ""


def alert_of(ask: Ask) -> str:
    """The alert that the open form is about, by id; empty where it is about none."""
    draft = _opened(ask, ask.writer.draft) if ask.writer.draft else None
    return str(draft.context.get("alert_id") or "") if draft else ""


def is_writing(ask: Ask, kept: OpenDraft) -> bool:
    """Whether the open question takes any text: then 打印 材料 is an answer, not a command."""
    draft = _opened(ask, kept)
    question = ask.house.book.current[kept.form].by_id.get(draft.at)
    return question is not None and question.kind == "text"


def is_choosing(ask: Ask, kept: OpenDraft) -> bool:
    """Whether the open question is answered by one of few options: then no 120 is an answer."""
    draft = _opened(ask, kept)
    question = ask.house.book.current[kept.form].by_id.get(draft.at)
    return question is None or bool(question.options)


def resume(ask: Ask, kept: Kept) -> tuple[Part, ...]:
    """Takes up a draft that was put aside; the one open now is put aside instead."""
    draft = parse(kept.id, kept.tag, kept.form_hash, kept.body)
    if not theirs(ask, draft):
        return (("form.not_yours", {}),)
    if not allowed(ask, kept.form):
        return (("form.not_allowed", {}),)
    if ask.writer.draft is not None:
        if ask.writer.draft.id == kept.id:
            return again(ask, ask.writer.draft)
        drafts.close(ask.tx, ask.writer.draft.id, "paused", ask.now)
    if not drafts.reopen(ask.tx, kept.id, ask.now):
        return (("menu.nothing_paused", {}),)
    form = ask.house.book.current[kept.form]
    draft = _here(ask, draft)
    if form.hash != kept.form_hash:
        return _refitted(ask, form, draft)
    turn = _with_listing(ask, form, engine.resume(form, draft, _facts(ask)))
    if turn.draft is not draft:
        _save(ask, turn.draft)
    return turn.say


def wants_media(ask: Ask, kept: OpenDraft) -> bool:
    """Whether the open question takes the photo, voice note or place of this message."""
    draft = _opened(ask, kept)
    question = ask.house.book.current[kept.form].by_id.get(draft.at)
    if question is None:
        return False
    if ask.inbound.place:
        return question.kind == "place"
    if question.kind == "photo":
        return any(each.kind == "photo" for each in ask.inbound.media)
    return question.kind == "text" or (bool(ask.inbound.text.strip()) and question.kind not in ("place", "person"))


def where(ask: Ask) -> str:
    """The place of this message as answers have it; empty where it has none."""
    place = ask.inbound.place
    return f"{place.latitude:.6f},{place.longitude:.6f} {place.datum}" if place else ""


def keep_media(ask: Ask) -> tuple[tuple[str, str], ...]:
    """Keeps the photos and voice notes of this message; gives kind and id of each."""
    return tuple((item.kind, media.add(ask.tx, ask.inbound.channel, item.kind, item.ref, ask.now))
                 for item in ask.inbound.media)


def _current(ask: Ask, kept: OpenDraft) -> Draft | tuple[Part, ...]:
    """The open draft, or what is said instead: its elder is no more theirs, nor its task, or its form has changed."""
    draft = _opened(ask, kept)
    if not theirs(ask, draft):
        return _put_away(ask, kept, "form.not_yours")
    if not allowed(ask, kept.form):
        return _put_away(ask, kept, "form.not_allowed")
    form = ask.house.book.current[kept.form]
    return _here(ask, draft) if form.hash == kept.form_hash else _refitted(ask, form, _here(ask, draft))


def _here(ask: Ask, draft: Draft) -> Draft:
    """The draft as it may be seen on this channel: one person may go on with it on another."""
    if bool(draft.context.get(ABROAD)) == ask.abroad:
        return draft
    return replace(draft, context={**draft.context, ABROAD: ask.abroad})


def _put_away(ask: Ask, kept: OpenDraft, why: str) -> tuple[Part, ...]:
    """The elder or the task went to somebody else meanwhile: nothing of it is shown, and nothing typed is lost."""
    drafts.close(ask.tx, kept.id, "paused", ask.now)
    return ((why, {}),)


def _opened(ask: Ask, kept: OpenDraft) -> Draft:
    return ask.house.drafts.get(kept.id, kept.body) or parse(
        kept.id, kept.tag, kept.form_hash, drafts.open_body(ask.tx, kept.id, kept.body))


def _save(ask: Ask, draft: Draft) -> None:
    ask.house.drafts.put(draft, drafts.save(ask.tx, draft.id, dump(draft), ask.now))


def _add(ask: Ask, form: Form, draft: Draft, state: str = "open") -> None:
    forms.keep(ask.tx, form.hash, form.name, form.definition)
    drafts.add(ask.tx, draft.id, draft.tag, ask.writer.person_id, form.name, form.hash, dump(draft), ask.now, state)


def _ended(ask: Ask, form: Form, turn: Turn) -> tuple[Part, ...]:
    draft = turn.draft
    if turn.outcome == "pause":
        _save(ask, draft)
        drafts.close(ask.tx, draft.id, "paused", ask.now)
        return (("form.paused", {"elder": draft.context.get("elder_name", "")}),)
    if turn.outcome == "cancel":
        drafts.close(ask.tx, draft.id, "cancelled", ask.now)
        return (("form.cancelled", {}), *_next_queued(ask, draft.id))
    ended = outcomes.submit(ask, form, draft)
    drafts.close(ask.tx, draft.id, ended.state, ask.now, ended.result)
    return (*ended.say, *_next_queued(ask, draft.id))


def _next_queued(ask: Ask, after: str) -> tuple[Part, ...]:
    for kept in drafts.paused(ask.tx, ask.writer.person_id, count=50):
        draft = parse(kept.id, kept.tag, kept.form_hash, kept.body)
        context = draft.context
        if context.get(QUEUED) and kept.id != after and theirs(ask, draft):
            unclear: tuple[Part, ...] = (
                (("menu.template_unclear", {"lines": context["unclear"]}),) if context.get("unclear") else ())
            alone = Ask(ask.house, ask.tx, ask.inbound, replace(ask.writer, draft=None), ask.now)
            return (("menu.next_queued", {}), *unclear, *resume(alone, kept))
    return ()


def _refitted(ask: Ask, form: Form, draft: Draft) -> tuple[Part, ...]:
    """The form changed since: keep what fits, ask the rest, say so."""
    fitted = engine.refit(form, draft, drafts.new_tag(ask.tx))
    turn = _with_listing(ask, form, engine.begin(form, fitted, _facts(ask), ask.now))
    forms.keep(ask.tx, form.hash, form.name, form.definition)
    drafts.rename(ask.tx, draft.id, turn.draft.tag, form.hash)
    _save(ask, turn.draft)
    return (("form.refitted", {}), *turn.say)


def _facts(ask: Ask) -> Facts:
    return Facts(ask.today, ask.writer.name)


def _facts_of_person(ask: Ask, question: Question, draft: Draft, event: Event) -> Facts:
    found = _found(ask, question, draft, event)
    if "corrects" in draft.context:  # what was asked then stays: only who he is changes
        found = tuple(replace(each, context={key: value for key, value in each.context.items() if key in WHO})
                      for each in found)
    return replace(_facts(ask), found=found, listing=LOOK_UPS[question.lookup].listing(ask, draft.context))


def _with_listing(ask: Ask, form: Form, turn: Turn) -> Turn:
    """The turn again with somebody to choose from, where it came to a question that looks up a person."""
    question = form.by_id.get(turn.draft.at)
    if turn.outcome != "ask" or question is None or question.kind != "person":
        return turn
    listing = LOOK_UPS[question.lookup].listing(ask, turn.draft.context)
    asked = engine.resume(form, turn.draft, replace(_facts(ask), listing=listing))
    return replace(asked, say=(*turn.say[:-1], *asked.say), part=turn.part)


def _found(ask: Ask, question: Question, draft: Draft, event: Event) -> tuple[Candidate, ...]:
    """Whom or what the event may mean, for the look-up that the question names."""
    look_up = LOOK_UPS[question.lookup]
    if event.tap is not None:
        return () if event.tap[1].startswith("=") else look_up.by_id(ask, draft.context, event.tap[1])
    return look_up.find(ask, draft.context, plain(event.text))
