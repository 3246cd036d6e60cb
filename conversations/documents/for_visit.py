"""From a kept visit to annex 3."""

from datetime import date

from conversations.documents.official_form import official_keepers
from conversations.documents.visit_record import BOXES, VisitRecord, annex3
from conversations.draft import REVIEW, Answer, Draft, parse_answers
from conversations.form import Form
from conversations.say import value
from conversations.walk import reviewed
from conversations.words_book import Words
from storage.visits import Visit

IN_THE_TABLE = frozenset({
    "elder", "day", "method_other", "family_more", "family_fewer", "illness_name", "care_given", "needs",
    "suggestions", "visitor_signature", "elder_signature", "elder_signature_by", "elder_signature_reason",
    "satisfaction", "satisfaction_by", "satisfaction_words",
})


def record(visit: Visit, form: Form, words: Words) -> VisitRecord:
    """What annex 3 prints of a visit; all answers that it has no row for stand in its additions."""
    answers = parse_answers(visit.answers)

    def told(question_id: str) -> str:
        answer = answers.get(question_id)
        question = form.by_id.get(question_id)
        if answer is None or question is None or (answer.value == "" and not answer.media):
            return ""
        return value(question, answer.value, len(answer.media), words, visit.elder)

    def number(question_id: str) -> int | None:
        given = answers.get(question_id)
        return given.value if given and isinstance(given.value, int) else None

    additions = [
        (q.label, told(q.id)) for q in reviewed(form, Draft("", "", form.hash, REVIEW, answers))
        if q.id not in IN_THE_TABLE and q.id not in BOXES and told(q.id)]
    needs = told("needs") or told("need_kinds")
    return VisitRecord(
        number=visit.number, day=date.fromisoformat(visit.on_day),
        boxes={q: str(answers[q].value) for q in BOXES if q in answers},
        method_other=told("method_other"), family_more=number("family_more"), family_fewer=number("family_fewer"),
        illness_name=told("illness_name"), care_given=told("care_given"), needs=needs, suggestions=told("suggestions"),
        visitor_signature=words.say("print.visitor", {"name": visit.visitor or ""}),
        elder_signature=words.say("print.elder", _signed(visit, answers)),
        satisfaction=words.say("print.satisfaction", {
            "given": told("satisfaction"), "by": told("satisfaction_by"), "words": told("satisfaction_words")}),
        additions=tuple(additions),
    )


def docx(visit: Visit, form: Form, words: Words) -> tuple[str, bytes]:
    """File name and bytes of the three copies."""
    name = words.say("print.file", {"elder": visit.elder, "number": visit.number, "day": visit.on_day})
    return name, annex3(record(visit, form, words), official_keepers())


def _signed(visit: Visit, answers: dict[str, Answer]) -> dict[str, str]:
    def plain(question_id: str) -> str:
        return str(answers[question_id].value) if question_id in answers else ""

    return {"how": plain("elder_signature"), "name": visit.elder, "by": plain("elder_signature_by"),
            "reason": plain("elder_signature_reason")}
