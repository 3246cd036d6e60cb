"""Between the elder form's answers and a whole file (annex 2), both ways."""

from datetime import datetime, tzinfo
from typing import Any, cast

from conversations.documents import id_number as id_numbers
from conversations.draft import Answer, Draft, Value
from conversations.form import Form
from conversations.form_rows import answered
from conversations.walk import pruned, reviewed
from conversations.words_book import pseudonym
from scheduler import annex2
from storage.elder_files import Wish
from storage.elders import NewElder
from storage.initials import initials

FORM = "elder"
MEMBERS = 8  # rows that the form has
_MORE = "member_more"
_YES_NO = ("at_registered_residence", "water_safe", "electricity_safe", "house_safe")
_MEMBER_YES_NO = ("on_relief", "visits_often")
_PLAIN = (  # facts that are kept as they are answered
    "address", "emergency_name", "emergency_phone", "emergency2_name", "emergency2_phone", "disability_certificate",
    "certificate_until", "illnesses", "economic", "income_source", "income", "household_income", "assistance",
    "assistance_amount", "help_unit", "help_person", "help_measures")
_UNKNOWN = "unknown"


def file_of(answers: dict[str, Answer], before: NewElder | None = None) -> NewElder:
    """The file that the answers make; what the form does not ask is as it was `before`."""
    given = {name: answer.value for name, answer in answers.items()}

    def text(name: str) -> str:
        return str(given.get(name) or "")

    surname_only = not given.get("name")
    surname = text("surname") or (before.name if before else "")
    name = pseudonym(surname) if surname_only else text("name")
    same_number = before if before and text("id_number") and text("id_number") == before.id_number else None
    holder = id_numbers.read(text("id_number")) if text("id_number") and not same_number else same_number
    grade = text("disability_grade")
    ability = text("ability")
    facts: dict[str, object] = {}
    facts |= {fact: given[fact] for fact in _PLAIN if given.get(fact) not in (None, "")}
    facts |= {fact: given[fact] == "yes" for fact in _YES_NO if given.get(fact)}
    if given.get("pension_any") == "no":
        facts["pension"] = 0
    elif given.get("pension"):
        facts["pension"] = given["pension"]
    if household := _household(given, before):
        facts[annex2.HOUSEHOLD] = household
    elif given.get("household_any") == "no":
        facts[annex2.ALONE] = True
    if surname_only:
        facts[annex2.SURNAME_ONLY] = True
    asked = {*_PLAIN, *_YES_NO, "pension", annex2.HOUSEHOLD, annex2.ALONE, annex2.SURNAME_ONLY}
    kept = {fact: value for fact, value in before.facts.items() if fact not in asked} if before else {}
    return NewElder(
        village_id=text("village"), group_name=text("group"), name=name, initials=initials(name),
        sex=holder.sex if holder else text("sex") or None,
        birth=str(holder.birth) if holder and holder.birth else text("birth") or None,
        categories=cast(list[str], given.get("categories") or []), ability="" if ability == _UNKNOWN else ability,
        registered_on=text("registered_on"), disability_grade=int(grade) if grade.isdigit() else None,
        id_number=text("id_number"), phone=text("phone"), facts={**kept, **facts},
        visits_made=before.visits_made if before else 0, earlier_visit_on=before.earlier_visit_on if before else None,
        number=before.number if before and before.village_id == text("village") else None, wish=text("wish"))


def wish_of(answers: dict[str, Answer], asked_by: str, zone: tzinfo) -> Wish | None:
    """What the elder said about being visited, on the day in `zone` on which he was asked."""
    if "wish" not in answers or "basis" not in answers:
        return None
    day = datetime.fromtimestamp(answers["wish"].at / 1000, zone).date().isoformat()
    return Wish(str(answers["wish"].value), str(answers["basis"].value), day, asked_by)


def answers_of(form: Form, file: NewElder, at: int, basis: str = "", *,
               skipping: dict[str, Any] | None = None) -> dict[str, Answer]:
    """The form's answers that say what the file says; `at` in milliseconds.

    What the file does not know is left out, so that it is asked; with `skipping`, what the draft will know (its
    context), it counts as skipped, also what may not be skipped by who is asked: nobody asked.
    """
    facts: dict[str, Any] = file.facts
    given: dict[str, Any] = {
        "village": file.village_id, "group": file.group_name, "birth": file.birth, "sex": file.sex,
        "name": "" if facts.get(annex2.SURNAME_ONLY) else file.name, "id_number": file.id_number, "phone": file.phone,
        "surname": file.name[:-1] if facts.get(annex2.SURNAME_ONLY) else "",
        "categories": list(file.categories), "ability": file.ability, "registered_on": file.registered_on,
        "disability_grade": str(file.disability_grade or ""), "wish": file.wish, "basis": basis if file.wish else ""}
    given |= {fact: facts.get(fact) for fact in _PLAIN}
    given |= {fact: _yes_no(facts.get(fact)) for fact in _YES_NO}
    pension = facts.get("pension")
    if pension is not None:
        given |= {"pension_any": "yes" if pension else "no", "pension": pension or None}
    given |= _members(facts)
    if file.id_number:
        del given["birth"], given["sex"]
    found: dict[str, Answer] = {}
    for question in form.questions:
        value: Value | None = given.get(question.id)
        if value not in (None, "", []):
            found[question.id] = Answer(value, at, "kept")
        elif skipping is not None:
            found[question.id] = Answer("", at, "kept")
    if skipping is None:
        return found
    # what does not apply now is left out: it is asked when it does
    return pruned(form, Draft("", "", form.hash, answers=found, context=skipping)).answers


def items(form: Form, draft: Draft) -> list[list[Any]]:
    """Each answer as a line of a card has it: question, value, how many photos came with it."""
    return [[question.id, draft.answers[question.id].value, len(draft.answers[question.id].media)]
            for question in reviewed(form, draft) if question.id in draft.answers and question.kind != "person"]


def _yes_no(value: object) -> str | None:
    return None if value is None else "yes" if value else "no"


def _household(given: dict[str, Value], before: NewElder | None) -> list[dict[str, object]]:
    """The rows of the form, and those beyond them that came with a spreadsheet."""
    if given.get("household_any") != "yes":
        return []
    rows: list[dict[str, object]] = []
    for number in answered(given, _MORE, MEMBERS):
        row = {key: given.get(f"member_{key}.{number}") for key in annex2.MEMBER}
        row |= {key: row[key] == "yes" for key in _MEMBER_YES_NO if row[key]}
        if row["name"]:
            rows.append({key: value for key, value in row.items() if value not in (None, "")})
    beyond = before.facts.get(annex2.HOUSEHOLD, []) if before and len(rows) == MEMBERS else []
    return rows + cast(list[dict[str, object]], beyond)[MEMBERS:]


def _members(facts: dict[str, Any]) -> dict[str, Any]:
    rows = facts.get(annex2.HOUSEHOLD) or []
    if not rows:
        return {"household_any": "no"} if facts.get(annex2.ALONE) else {}
    given: dict[str, Any] = {"household_any": "yes"}
    for number, row in enumerate(rows[:MEMBERS], 1):
        given |= {f"member_{key}.{number}": _yes_no(row.get(key)) if key in _MEMBER_YES_NO else row.get(key)
                  for key in annex2.MEMBER}
        given[f"{_MORE}.{number}"] = "yes" if number < len(rows) else "no"
    return given
