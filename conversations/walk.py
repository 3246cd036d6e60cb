"""The way through a form: which questions apply, which comes next, what stands at a position."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from conversations.draft import CANCEL, CHANGE, REVIEW, Answer, Candidate, Draft
from conversations.form import Form, Question

PLACES = {REVIEW: "r", CHANGE: "c", CANCEL: "x"}


def place_of(form: Form, at: str) -> str:
    """How a button's token names a position."""
    return PLACES.get(at) or str(form.index.get(at, ""))


def applies(question: Question, draft: Draft) -> bool:
    """Whether the question is asked, given the answers and facts so far."""
    if not question.ask_if:
        return True
    for condition in question.ask_if:
        if condition.fact:
            if draft.context.get(condition.fact) in condition.values:
                return True
            continue
        answer = draft.answers.get(condition.question)
        if answer is None:
            continue
        given = answer.value if isinstance(answer.value, list) else [answer.value]
        if any(value in condition.values for value in given):
            return True
    return False


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
    """The first question still to be asked, or None when the form is complete."""
    answers = draft.answers
    for question in form.questions:
        if question.id not in answers and not question.quiet and (not question.ask_if or applies(question, draft)):
            return question
    return None


def before(form: Form, draft: Draft) -> Question | None:
    """The asked question before this position, where 上一题 goes."""
    place = form.index.get(draft.at, len(form.questions))
    for question in reversed(form.questions[:place]):
        if question.id in draft.answers and not question.quiet and applies(question, draft):
            return question
    return None


def pruned(form: Form, draft: Draft) -> Draft:
    """Without the answers to questions that do not apply any more."""
    gone = [q.id for q in form.questions if q.ask_if and q.id in draft.answers and not applies(q, draft)]
    if not gone:
        return draft
    left = replace(draft, answers={key: answer for key, answer in draft.answers.items() if key not in gone})
    return pruned(form, left)  # what depended on those goes too


def row_of_choices(form: Form, draft: Draft, question: Question) -> list[Question]:
    """The single choices that digits typed in a row answer, from this one on.

    On the main line they skip what is asked only on condition; inside such a follow-up they stay in it.
    """
    row = []
    for each in form.questions[form.index[question.id]:]:
        single = each.kind in ("choice", "signature") and not each.quiet
        if question.ask_if and not (single and each.ask_if and applies(each, draft)):
            break
        if single and bool(each.ask_if) == bool(question.ask_if):
            row.append(each)
    return row


def can_sweep(form: Form, question: Question) -> bool:
    """Whether one tap 以上均无变化 is offered here: never for safety, which has no `unchanged`."""
    return bool(question.unchanged) and form.section_by_id[question.section].one_tap


def reviewed(form: Form, draft: Draft) -> list[Question]:
    """The questions that stand in the review, in order: item N is the Nth."""
    return [q for q in form.questions if applies(q, draft) and (q.id in draft.answers or q.quiet)]


def shown(form: Form, draft: Draft, listing: Sequence[Candidate] = ()) -> tuple[str, dict[str, Any]]:
    """What stands at the draft's position, as a kind and its fields."""
    context = draft.context
    fields: dict[str, Any] = {"form": form.hash, "tag": draft.tag, "elder": context.get("elder_name", "")}
    if draft.at in (REVIEW, CHANGE):
        answers = draft.answers
        fields["items"] = [
            [q.id, answers[q.id].value, len(answers[q.id].media)] if q.id in answers else [q.id, "", 0]
            for q in reviewed(form, draft)]
        fields["labels"] = {"elder": context.get("elder_name", "")}
        return ("review" if draft.at == REVIEW else "change"), fields
    if draft.at == CANCEL:
        return "cancel", fields
    question = form.by_id[draft.at]
    asked = [q.id for q in form.questions
             if not q.quiet and q.kind != "person" and (not q.ask_if or applies(q, draft))]
    answer = draft.answers.get(question.id)
    fields |= {
        "question": question.id,
        "nth": asked.index(question.id) + 1 if question.id in asked else 0,
        "of": len(asked),
        "last": context.get("last", {}).get(question.id),
        "given": answer.value if answer else None,
        "chosen": draft.chosen,
        "sweep": can_sweep(form, question) and not answer,
        "back": before(form, draft) is not None,
        "people": [[each.id, each.label] for each in listing] if question.kind == "person" else [],
    }
    return "question", fields
