"""看记录, 打印: reading a visit that was kept."""

from conversations import families, lookup
from conversations.commands.parts import form_of
from conversations.draft import REVIEW, Draft, parse_answers
from conversations.engine import Part
from conversations.turn import Ask
from conversations.walk import reviewed
from storage import people, visits
from storage.visits import Visit


def chosen(ask: Ask, rest: str) -> Visit | None:
    """The visit meant: by its id, the last of the elder named, or the last that this person wrote."""
    if rest and (by_id := visits.find(ask.tx, ask.scope, rest)):
        return by_id if families.may_read(ask, by_id) else None
    if rest:
        found = lookup.matching(ask, rest)
        last = next(iter(visits.last(ask.tx, ask.scope, found[0].id)), None) if len(found) == 1 else None
        return last if last and families.may_read(ask, last) else None
    return visits.last_by(ask.tx, ask.scope)


def record(ask: Ask, rest: str) -> tuple[Part, ...]:
    """All answers of a visit, with what was changed, by whom, when and why."""
    visit = chosen(ask, rest)
    if visit is None:
        return (("menu.record_gone", {}),)
    ask.note("visit.read", visit.elder_id, ("answers",))
    versions = visits.versions(ask.tx, ask.scope, visit.visit_id)
    changes = []
    for version in versions[1:]:
        writer = people.find(ask.tx, version.written_by) if version.written_by else None
        changes.append({"when": version.written_at.astimezone(ask.house.policy.zone).date().isoformat(),
                        "who": writer.name if writer else "", "what": version.state, "why": version.reason})
    buttons: list[list[list[object]]] = [[["button.print", {}, f"/printvisit {visit.visit_id}"]]]
    if ask.may("correct") and ask.may_correct(visit):
        buttons[0].append(["button.correct", {}, f"/correct {visit.visit_id}"])
    form = form_of(ask, visit)
    answers = parse_answers(visit.answers)
    items = [[q.id, answers[q.id].value, len(answers[q.id].media)]
             for q in reviewed(form, Draft("", "", form.hash, REVIEW, answers)) if q.id in answers]
    return (("record", {
        "form": visit.form_hash, "elder": visit.elder, "number": visit.number, "day": visit.on_day, "late": visit.late,
        "items": items, "versions": len(versions), "changes": changes, "buttons": buttons}),)


def printvisit(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Annex 3 as Word; the file is made when it is sent."""
    visit = chosen(ask, rest)
    if visit is None:
        return (("menu.record_gone", {}),)
    if visit.state != "current":
        return ((f"menu.{'voided' if visit.state == 'void' else 'moved'}_already", {}),)
    ask.note("visit.print", visit.elder_id, ("answers",))
    return (("menu.printing", {"number": visit.number, "document": {
        "kind": "visit_record", "visit": visit.visit_id, "row": visit.row_id, "person": ask.writer.person_id}}),)


COMMANDS = {"record": record, "printvisit": printvisit}
