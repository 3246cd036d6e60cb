"""How an alert ends: what the forms 处置完毕 and 误报 become."""

from conversations.draft import Draft, parse
from conversations.ended import Ended
from conversations.form import Form
from conversations.turn import Ask
from scheduler import alerting
from storage import alerts, drafts, elders

MOST = 20  # forms put aside that are looked at
TOLD = " "  # between those who were told, as it is kept


def closed(ask: Ask, form: Form, draft: Draft) -> Ended:
    """Ends it with what was found and done, who was told, and whether the risk is gone."""
    given = {question: answer.value for question, answer in draft.answers.items()}
    told = given["told"] if isinstance(given["told"], list) else [given["told"]]
    outcome = {**{key: str(given[key]) for key in ("found", "done", "risk")}, "told": TOLD.join(map(str, told))}
    return _end(ask, draft, outcome, "alerts.closed")


def called_off(ask: Ask, form: Form, draft: Draft) -> Ended:
    """Ends it as a false alarm, with the reason."""
    return _end(ask, draft, {"reason": str(draft.answers["reason"].value)}, "alerts.called_off")


def _end(ask: Ask, draft: Draft, outcome: dict[str, str], said: str) -> Ended:
    alert = alerts.find(ask.tx, ask.scope, draft.context["alert_id"])
    if alert is None:
        return Ended((("alerts.gone", {}),), "cancelled")
    if not alerting.may_end(ask.tx, ask.writer.person_id, alert):
        return Ended((("alerts.not_yours", {}),), "cancelled")
    number = {"number": alert.called}
    if not alerting.end(ask.tx, alert, ask.writer.person_id, outcome, ask.house.policies, ask.now):
        return Ended((("alerts.over", number),), "cancelled")
    rows = [*_before(ask), [["button.alerts", {}, "/alerts"]]]
    return Ended(((said, {**number, "buttons": rows}),), result=alert.id)


def _before(ask: Ask) -> list[list[list[object]]]:
    """The way back to the form that was put aside for the emergency: the last one, while its elder is theirs."""
    for kept in drafts.paused(ask.tx, ask.writer.person_id, MOST)[-1:]:
        context = parse(kept.id, kept.tag, kept.form_hash, kept.body).context
        elder = context.get("elder_id")
        if elder is None or elders.in_scope(ask.tx, ask.scope, elder):
            return [[["button.resume", {"elder": context.get("elder_name", "")}, f"/resume {kept.id}"]]]
    return []
