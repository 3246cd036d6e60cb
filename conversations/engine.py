"""The form engine: pure. A form, a draft and an event give a new draft and what to say.

Nothing here reads a clock, a database or a file; the router resolves look-ups and passes them as `Facts`.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal, cast

from conversations import answers as reading
from conversations import dates, walk
from conversations.answers import Bounds
from conversations.controls import Control, control, kept, plain
from conversations.draft import CALLED, CANCEL, CHANGE, REVIEW, TO_ASK, Answer, Candidate, Draft, Manner, Value
from conversations.form import Form, Question
from conversations.readers import Refusal
from storage.ids import millis

Part = tuple[str, dict[str, Any]]
Outcome = Literal["ask", "submit", "pause", "cancel"]

@dataclass(frozen=True, slots=True)
class Event:
    """What the person did: exactly one of a text, a tap (where and what of its token), media or a place.

    Media may carry a text (a photo's caption). All empty is something no question takes, a sticker say.
    """

    text: str = ""
    tap: tuple[str, str] | None = None
    media: tuple[tuple[str, str], ...] = ()  # kind and the id it is kept under
    place: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the engine is told about the world: the day, who is answering, what the look-up found."""

    today: date
    visitor: str = ""
    found: tuple[Candidate, ...] = ()
    listing: tuple[Candidate, ...] = ()  # whom a person question offers before anything is typed


@dataclass(frozen=True, slots=True)
class Turn:
    """The draft after the event, what to say, whether the form goes on, and the part of it that is done now."""

    draft: Draft
    say: tuple[Part, ...]
    outcome: Outcome = "ask"
    part: str = ""


UNKNOWN = {"elders": "refuse.person_unknown", "visitors": "refuse.visitor_unknown", "family": "refuse.not_listed",
           "answerable": "refuse.not_listed", "vendors": "refuse.not_listed"}  # else it is a village


def begin(form: Form, draft: Draft, facts: Facts, now: datetime) -> Turn:
    """Puts the defaults in and asks the first open question."""
    answers = dict(draft.answers)
    for question in form.questions:
        if question.default and question.id not in answers and question.id not in draft.context.get(TO_ASK, ()):
            value = facts.today.isoformat() if question.default == "today" else question.default
            answers[question.id] = Answer(value, millis(now), "default")
    return _onward(form, replace(draft, answers=answers), facts)


def resume(form: Form, draft: Draft, facts: Facts) -> Turn:
    """Asks again where the draft stands; an outgrown position moves to the first open question."""
    known = draft.at in (REVIEW, CHANGE, CANCEL) or (
        draft.at in form.by_id and walk.applies(form.by_id[draft.at], draft))
    return _again(form, draft, facts) if known else _onward(form, draft, facts)


def refit(form: Form, draft: Draft, tag: str) -> Draft:
    """The draft on a newer form: what still fits stays, the rest is asked."""
    kept = {}
    for question_id, answer in draft.answers.items():
        question = form.by_id.get(question_id)
        if question and walk.fits(question, answer):
            kept[question_id] = answer
    return replace(draft, form=form.hash, tag=tag, answers=kept, at="", chosen=(), returns_to="")


def onward(form: Form, draft: Draft, facts: Facts, *before: Part) -> Turn:
    """Goes on to the next open question, after something was found out that changes which that is."""
    return _onward(form, walk.pruned(form, draft), facts, *before)


def advance(form: Form, draft: Draft, event: Event, facts: Facts, now: datetime) -> Turn:
    """One step. An event that does not fit gives one kind sentence and the question again, nothing changed."""
    if event.tap is not None:
        return _tapped(form, draft, event.tap, facts, now)
    text = plain(event.text)
    if text and not event.media and (wanted := control(text)):
        turn = _steer(form, draft, wanted, facts, now, "text")
        if turn is not None:
            return turn
    if draft.at in (REVIEW, CHANGE):
        return _in_review(form, draft, text, facts)
    if draft.at == CANCEL:
        return _again(form, draft, facts, ("refuse.yes_no", {}))
    question = form.by_id[draft.at]
    if question.kind in ("text", "photo"):
        text = kept(event.text)  # as it was written: 30㎡ and ， are kept so
    if event.media or event.place or not text:
        return _with_media(form, draft, question, event, text, facts, now)
    return _with_text(form, draft, question, text, facts, now)


# What each kind of event does


def _tapped(form: Form, draft: Draft, tap: tuple[str, str], facts: Facts, now: datetime) -> Turn:
    where, what = tap
    if where != walk.place_of(form, draft.at):
        return _again(form, draft, facts, ("refuse.old_button", {}))
    if what.startswith("="):
        turn = _steer(form, draft, cast(Control, what[1:]), facts, now, "tap")
        return turn or _again(form, draft, facts, ("refuse.old_button", {}))
    if draft.at in (REVIEW, CHANGE):
        named = form.questions[int(what)] if _is_index(what, len(form.questions)) else None
        if named in walk.reviewed(form, draft):
            return _move_to(form, draft, named.id, facts)
        return _again(form, draft, facts, ("refuse.old_button", {}))
    question = form.by_id.get(draft.at)
    if question is None:
        return _again(form, draft, facts, ("refuse.old_button", {}))
    if question.kind == "person":
        return _choose_person(form, draft, question, facts, now, "tap")
    if question.kind == "choices" and what.endswith(","):  # all that he chose at once, on a card with boxes to tick
        given = [int(each) + 1 if _is_index(each, len(question.options)) else 0 for each in what[:-1].split(",")]
        several = reading.read(question, " ".join(map(str, given)), _bounds(draft, facts))
        if isinstance(several, Refusal):
            return _again(form, draft, facts, (several.sentence, several.fields))
        return _take(form, draft, question, several, "tap", facts, now)
    if not _is_index(what, len(question.options)):
        return _again(form, draft, facts, ("refuse.old_button", {}))
    option = question.options[int(what)].id
    if question.kind != "choices":
        return _take(form, draft, question, option, "tap", facts, now)
    if option == question.alone:
        return _take(form, draft, question, [option], "tap", facts, now)
    ticked = set(draft.chosen) ^ {option}
    chosen = tuple(each for each in question.option_ids if each in ticked)
    return _again(form, replace(draft, chosen=chosen), facts)


def _steer(form: Form, draft: Draft, wanted: Control, facts: Facts, now: datetime, manner: Manner) -> Turn | None:
    """What a control does here, or None where the word means nothing: then it may be an answer."""
    if draft.at == CANCEL:
        if wanted == "yes":
            return Turn(draft, (), "cancel")
        before_asking = replace(draft, at=draft.returns_to, returns_to="")
        if wanted == "pause":
            return Turn(before_asking, (), "pause")
        if wanted in ("no", "keep", "cancel", "back"):
            return _again(form, before_asking, facts)
    if wanted == "cancel":
        return _again(form, replace(draft, at=CANCEL, returns_to=draft.at), facts)
    if wanted == "pause":
        return Turn(draft, (), "pause")
    if wanted == "back":
        before = walk.before(form, draft)
        if before is None:
            return _again(form, draft, facts, ("refuse.first", {}))
        return _move_to(form, draft, before.id, facts)
    if draft.at in (REVIEW, CHANGE):
        if wanted == "submit":
            return _submit(form, draft, facts)
        if wanted in ("change", "review"):
            return _again(form, replace(draft, at=CHANGE if wanted == "change" else REVIEW), facts)
        return None
    question = form.by_id.get(draft.at)
    if question is None:
        return None
    if wanted == "words":
        said: Part = ("form.say", {"say": question.say}) if question.say else ("refuse.no_words", {})
        return _again(form, draft, facts, said)
    if wanted == "skip":
        if not question.optional:
            return _again(form, draft, facts, ("refuse.not_optional", {}))
        return _take(form, draft, question, "", manner, facts, now)
    if wanted == "sweep":
        return _sweep(form, draft, question, facts, now)
    if wanted == "done" and question.kind == "choices":
        if not draft.chosen:
            return _again(form, draft, facts, ("refuse.none_chosen", {}))
        return _take(form, draft, question, list(draft.chosen), manner, facts, now)
    if wanted in ("keep", "review", "submit", "change"):
        answered = question.id in draft.answers
        return _onward(form, draft, facts) if answered else _again(form, draft, facts, ("refuse.not_finished", {}))
    return None


def _with_text(form: Form, draft: Draft, question: Question, text: str, facts: Facts, now: datetime) -> Turn:
    if question.kind == "person":
        return _choose_person(form, draft, question, facts, now, "text")
    if question.kind in ("choice", "signature"):
        digits = "".join(text.split())
        if len(digits) > 1 and digits.isascii() and digits.isdigit() and len(question.options) < 10:
            return _in_a_row(form, draft, question, digits, facts, now)
        signer = {"visitor": facts.visitor, "elder": draft.context.get("elder_name")}.get(question.signer)
        if signer and text == signer:
            return _take(form, draft, question, "name", "text", facts, now)
    value = reading.read(question, text, _bounds(draft, facts))
    if not isinstance(value, Refusal):
        manner: Manner = "digits" if text.isascii() and text.isdigit() and question.options else "text"
        return _take(form, draft, question, value, manner, facts, now)
    if question.kind in ("choice", "choices", "signature") and (said := _day_said(form, draft, text, facts, now)):
        return said
    return _again(form, draft, facts, (value.sentence, value.fields))


def _with_media(form: Form, draft: Draft, question: Question, event: Event, text: str, facts: Facts,
                now: datetime) -> Turn:
    ids = tuple(media_id for _, media_id in event.media)
    kinds = {kind for kind, _ in event.media}
    if event.place and question.kind == "place":
        return _take(form, draft, question, event.place, "media", facts, now)
    if question.kind == "photo" and "photo" in kinds:
        return _take(form, draft, question, text, "media", facts, now, ids)
    if ids and question.kind == "text" and not text:
        earlier = draft.answers.get(question.id)
        if "voice" in kinds:  # that says it all
            return _take(form, draft, question, "", "media", facts, now, ids)
        kept_now = Answer(earlier.value if earlier else "", millis(now), "media", (*_media(earlier), *ids))
        return _again(form, draft.with_answer(question.id, kept_now), facts, ("form.photo_kept", {}))
    if ids and text and question.kind not in ("photo", "place", "person"):
        value = reading.read(question, text, _bounds(draft, facts))
        if not isinstance(value, Refusal):
            return _take(form, draft, question, value, "media", facts, now, ids)
        return _again(form, draft, facts, (value.sentence, value.fields))
    if question.kind in ("photo", "place"):
        return _again(form, draft, facts, (f"refuse.{question.kind}_wanted", {"optional": question.optional}))
    return _again(form, draft, facts, ("refuse.not_here", {}))


def _in_a_row(form: Form, draft: Draft, question: Question, digits: str, facts: Facts, now: datetime) -> Turn:
    """`111211`: a digit for each of the coming choices; what follows from one of them is asked afterwards."""
    row = walk.row_of_choices(form, draft, question)
    if len(digits) > len(row):
        return _again(form, draft, facts, ("refuse.too_many_digits", {"count": len(row), "given": len(digits)}))
    for place, (each, digit) in enumerate(zip(row, digits, strict=False), 1):
        if not 1 <= int(digit) <= len(each.options):
            return _again(form, draft, facts, ("refuse.digit", {
                "place": place, "digit": digit, "label": each.label, "count": len(each.options)}))
    warnings: list[Part] = []
    for each, digit in zip(row, digits, strict=False):
        option = each.options[int(digit) - 1]
        draft = draft.with_answer(each.id, Answer(option.id, millis(now), "digits"))
        if option.warns:
            warnings.append((option.warns, {}))
    return _onward(form, walk.pruned(form, draft), facts, *warnings)


def _sweep(form: Form, draft: Draft, question: Question, facts: Facts, now: datetime) -> Turn:
    swept = walk.swept(form, draft, question)
    if not swept:
        return _again(form, draft, facts, ("refuse.no_sweep", {}))
    for each in swept:
        draft = draft.with_answer(each, Answer(form.by_id[each].unchanged, millis(now), "section"))
    return _onward(form, walk.pruned(form, draft), facts)


def _choose_person(form: Form, draft: Draft, question: Question, facts: Facts, now: datetime,
                   manner: Manner) -> Turn:
    if not facts.found:
        return _again(form, draft, facts, (UNKNOWN.get(question.lookup, "refuse.village_unknown"), {}))
    if len(facts.found) > 1:
        listed = replace(draft, context={**draft.context, "listed": [each.id for each in facts.found]})
        return Turn(listed, (("which", {
            "tag": draft.tag, "where": walk.place_of(form, draft.at), "lookup": question.lookup,
            "people": [[each.id, each.label] for each in facts.found]}),))
    chosen = facts.found[0]
    called = {**draft.context.get(CALLED, {}), question.id: chosen.called} if chosen.called else {}
    draft = replace(draft, context={
        **draft.context, **chosen.context, "listed": [], **({CALLED: called} if called else {})})
    return _take(form, draft, question, chosen.id, manner, facts, now)


def _day_said(form: Form, draft: Draft, text: str, facts: Facts, now: datetime) -> Turn | None:
    """A day typed at another question (昨天) sets the form's own day, which is never asked."""
    question = form.by_id.get("day")
    if question is None or not dates.is_spelled_out(text) or dates.read(text, facts.today) is None:
        return None
    value = reading.read(question, text, _bounds(draft, facts))
    if isinstance(value, Refusal):
        return _again(form, draft, facts, (value.sentence, value.fields))
    draft = draft.with_answer(question.id, Answer(value, millis(now), "text"))
    return _again(form, draft, facts, ("form.noted_day", {"day": value}))


def _in_review(form: Form, draft: Draft, text: str, facts: Facts) -> Turn:
    items = walk.reviewed(form, draft)
    if (place := reading.place(text, len(items))) is not None:
        return _move_to(form, draft, items[place].id, facts)
    for question in items:
        if text and (text == question.label or text in question.also):
            return _move_to(form, draft, question.id, facts)
    sentence = "refuse.review" if draft.at == REVIEW else "refuse.change"
    return _again(form, draft, facts, (sentence, {"count": len(items)}))


def _submit(form: Form, draft: Draft, facts: Facts) -> Turn:
    if walk.following(form, draft):
        return _onward(form, draft, facts, ("refuse.not_finished", {}))
    draft = walk.pruned(form, draft)  # a text template may have answered what does not apply
    day = form.by_id.get("day")
    if day is not None and day.id in draft.answers:  # the elder may have been changed since the day was given
        value = reading.read(day, str(draft.answers[day.id].value), _bounds(draft, facts))
        if isinstance(value, Refusal):
            return _again(form, replace(draft, at=day.id), facts, (value.sentence, value.fields))
    return Turn(draft, (), "submit")


# How every step ends


def _take(form: Form, draft: Draft, question: Question, value: Value, manner: Manner, facts: Facts, now: datetime,
          media: tuple[str, ...] = ()) -> Turn:
    if question.kind == "text" and value:  # words that follow a photo belong to it
        media = (*_media(draft.answers.get(question.id)), *media)
    draft = draft.with_answer(question.id, Answer(value, millis(now), manner, media))
    option = question.option(value) if isinstance(value, str) and value in question.option_ids else None
    if option and option.ends:
        return Turn(draft, (), "submit")
    if option and option.clears:
        draft = replace(draft, answers={
            name: answer for name, answer in draft.answers.items() if name not in option.clears})
    if question.id in form.decisive:
        draft = walk.pruned(form, draft)
    return _onward(form, draft, facts, *([(option.warns, {})] if option and option.warns else []))


def _media(answer: Answer | None) -> tuple[str, ...]:
    return answer.media if answer else ()


def _onward(form: Form, draft: Draft, facts: Facts, *before: Part) -> Turn:
    following = walk.following(form, draft)
    if following is None:
        return _again(form, draft.moved(REVIEW), facts, *before)
    part = walk.part_done(form, draft.at, following.id)
    done: tuple[Part, ...] = (("form.part_done", {
        "part": part, "next": form.section_by_id[following.section].part}),) if part else ()
    return replace(_again(form, draft.moved(following.id), facts, *before, *done), part=part)


def _move_to(form: Form, draft: Draft, question_id: str, facts: Facts) -> Turn:
    value = draft.answers[question_id].value if question_id in draft.answers else ()
    chosen = tuple(value) if isinstance(value, list) else ()
    return _again(form, draft.moved(question_id, chosen), facts)


def _again(form: Form, draft: Draft, facts: Facts, *before: Part) -> Turn:
    """What stands at the draft's position, after the sentences that come before it."""
    question = form.by_id.get(draft.at)
    if question is not None and question.kind == "person" and facts.listing:
        draft = replace(draft, context={**draft.context, "listed": [each.id for each in facts.listing]})
    return Turn(draft, (*before, walk.shown(form, draft, facts.listing)))


def _is_index(what: str, count: int) -> bool:
    return what.isascii() and what.isdigit() and len(what) < 4 and int(what) < count


def _bounds(draft: Draft, facts: Facts) -> Bounds:
    registered = draft.context.get("registered_on")
    return Bounds(facts.today, date.fromisoformat(registered) if registered else None)
