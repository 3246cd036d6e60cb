"""The way through a form: which questions apply, which comes next, what stands at a position."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from conversations.draft import ABROAD, CALLED, CANCEL, CHANGE, REVIEW, TO_ASK, Answer, Candidate, Draft
from conversations.form import Form, Question

PLACES = {REVIEW: "r", CHANGE: "c", CANCEL: "x"}


def place_of(form: Form, at: str) -> str:
    """How a button's token names a position."""
    return PLACES.get(at) or str(form.index.get(at, ""))


def applies(question: Question, draft: Draft) -> bool:
    """Whether the question is asked, given the answers and facts so far."""
    if not question.ask_if:
        return True
    for depends_on, fact, values in question.rules:
        if fact:
            if draft.context.get(fact) in values:
                return True
        elif answer := draft.answers.get(depends_on):
            value = answer[0]
            if value in values if not isinstance(value, list) else any(each in values for each in value):
                return True
    return False


def open_ones(form: Form, draft: Draft) -> set[str]:
    """The ids of the conditional questions that apply: the same as asking `applies` of each, in a tenth of the time."""
    found: set[str] = set()
    for decisive in form.decisive:
        answer = draft.answers.get(decisive)
        if answer is not None:
            for value in answer[0] if isinstance(answer[0], list) else (answer[0],):
                found.update(form.opens.get((decisive, value), ()))
    found.update(question for fact, values, question in form.opened_by_facts if draft.context.get(fact) in values)
    return found


def fits(question: Question, answer: Answer) -> bool:
    """Whether an answer given to another version of this question is still one."""
    if question.options:
        given = answer.value if isinstance(answer.value, list) else [answer.value]
        several = isinstance(answer.value, list)
        return several == (question.kind == "choices") and all(value in question.option_ids for value in given)
    if question.kind == "number":
        return isinstance(answer.value, int) and question.least <= answer.value <= question.most
    if question.kind == "text":
        return isinstance(answer.value, str) and len(answer.value) <= question.most
    return isinstance(answer.value, str)


def following(form: Form, draft: Draft) -> Question | None:
    """The first question still to be asked, or None when the form is complete (or all that is left is secret here)."""
    answers, asked_for_once = draft.answers, draft.context.get(TO_ASK, ())
    applying = open_ones(form, draft)
    for question in form.questions if asked_for_once else form.asked:
        if question.id not in answers and (not question.quiet or question.id in asked_for_once) and (
                not question.ask_if or question.id in applying) and not hidden(question, draft):
            return question
    return None


def hidden(question: Question, draft: Draft) -> bool:
    """Whether the question must not be seen where the draft is now, or with what it knows."""
    return bool((question.secret and draft.context.get(ABROAD)) or (
        question.unless and draft.context.get(question.unless)))


def part_done(form: Form, before: str, after: str) -> str:
    """The part of the form that ends between these positions, on the way forward; empty where none does."""
    here, there = form.by_id.get(before), form.by_id.get(after)
    if here is None or there is None or form.index[there.id] < form.index[here.id]:
        return ""
    part = form.section_by_id[here.section].part
    return part if part != form.section_by_id[there.section].part else ""


def before(form: Form, draft: Draft) -> Question | None:
    """The asked question before this position, where 上一题 goes."""
    place = form.index.get(draft.at, len(form.questions))
    for question in reversed(form.questions[:place]):
        if question.id in draft.answers and not question.quiet and applies(question, draft) and (
                not hidden(question, draft)):
            return question
    return None


def pruned(form: Form, draft: Draft) -> Draft:
    """Without the answers to questions that do not apply any more."""
    gone = [q.id for q in form.conditional if q.id in draft.answers and not applies(q, draft)]
    if not gone:
        return draft
    left = replace(draft, answers={key: answer for key, answer in draft.answers.items() if key not in gone})
    return pruned(form, left)  # what depended on those goes too


def row_of_choices(form: Form, draft: Draft, question: Question) -> list[Question]:
    """The single choices that digits typed in a row answer, from this one on, up to a question of another kind.

    On the main line they skip what an answer may bring up (it is asked afterwards); inside such a follow-up
    they stay in it.
    """
    row = []
    inside = depends_on_answers(question, draft)
    for each in form.questions[form.index[question.id]:]:
        if each.quiet or (each.ask_if and not applies(each, draft)) or hidden(each, draft):
            continue
        if depends_on_answers(each, draft) != inside:
            if inside:
                break
            continue
        if each.kind not in ("choice", "signature"):
            break
        row.append(each)
    return row


def depends_on_answers(question: Question, draft: Draft) -> bool:
    """Whether it is an answer of this draft that decides if the question is asked, not a fact known before."""
    facts = [condition for condition in question.ask_if if condition.fact]
    return bool(question.ask_if) and not any(draft.context.get(each.fact) in each.values for each in facts)


def swept(form: Form, draft: Draft, question: Question) -> list[str]:
    """What one tap 以上均无变化 answers here: this question and the open ones beside it.

    Empty where it is not offered: never for safety, which has no `unchanged`.
    """
    if not question.unchanged or not form.section_by_id[question.section].one_tap:
        return []
    return [each.id for each in form.in_section(question.section) if each.unchanged and applies(each, draft)
            and (each.id not in draft.answers or each.id == question.id)]


def reviewed(form: Form, draft: Draft) -> list[Question]:
    """The questions that stand in the review, in order: item N is the Nth."""
    return [q for q in form.questions if applies(q, draft) and (q.id in draft.answers or q.quiet)
            and not hidden(q, draft)]


def shown(form: Form, draft: Draft, listing: Sequence[Candidate] = ()) -> tuple[str, dict[str, Any]]:
    """What stands at the draft's position, as a kind and its fields."""
    context = draft.context
    whom = context.get("elder_name") or context.get("person_name", "")
    fields: dict[str, Any] = {"form": form.hash, "tag": draft.tag, "elder": whom}
    if draft.at in (REVIEW, CHANGE):
        answers = draft.answers
        fields["items"] = [
            [q.id, _told(q, answers[q.id], context), len(answers[q.id].media)] if q.id in answers
            else [q.id, "", 0] for q in reviewed(form, draft)]
        return ("review" if draft.at == REVIEW else "change"), fields
    if draft.at == CANCEL:
        return "cancel", fields
    question = form.by_id[draft.at]
    counted = form.counted_abroad if context.get(ABROAD) else form.counted
    place, nth, of = form.index[question.id], counted[question.id], counted[form.questions[-1].id]
    for each in open_ones(form, draft):
        if not (form.by_id[each].quiet or hidden(form.by_id[each], draft)):
            of += 1
            nth += form.index[each] <= place
    answer = draft.answers.get(question.id)
    fields |= {
        "question": question.id,
        "nth": 0 if question.quiet or question.kind == "person" else nth,
        "of": of,
        "last": context.get("last", {}).get(question.id),
        "given": _told(question, answer, context) if answer else None,
        "level": context.get("level", "township"),
        "media": len(answer.media) if answer else 0,
        "chosen": draft.chosen,
        "sweep": swept(form, draft, question) if not answer else [],
        "back": before(form, draft) is not None,
        "people": [[each.id, each.label] for each in listing] if question.kind == "person" else [],
    }
    return "question", fields


def _told(question: Question, answer: Answer, context: dict[str, Any]) -> Any:
    """An answer as it is shown: of a look-up its name, not its id; of a number that was kept before its last digits."""
    if question.kind == "person":
        return context.get(CALLED, {}).get(question.id, answer.value)
    if question.masked and answer.manner == "kept" and answer.value:
        return last_digits(str(answer.value))
    return answer.value


def last_digits(number: str) -> str:
    """A number as it is shown to who may know which it is, and not what it is."""
    return f"****{number[-4:]}"
