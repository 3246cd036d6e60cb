"""家属请求 and 需求: what families ask of the village, and what they report as difficult, until it is done (C2, C7)."""

from conversations import session
from conversations.engine import Part
from conversations.families import of_request
from conversations.lists import PAGE, further, skipped
from conversations.turn import Ask, label
from scheduler import family
from scheduler.visitor_kinds import minor
from storage import elders, needs, requests
from storage.elders import Elder
from storage.needs import Need
from storage.requests import Request

Parts = tuple[Part, ...]
Rows = list[list[list[object]]]
TO_REQUESTS: Rows = [[["button.requests", {}, "/requests"]]]
TO_NEEDS: Rows = [[["button.needs", {}, "/needs"]]]


def listed(ask: Ask, rest: str) -> Parts:
    """What families ask for and nobody has done yet, the most pressing first; or one of them."""
    if rest and not rest.startswith("+"):
        found = _request(ask, rest)
        return _request_card(ask, *found) if isinstance(found[0], Request) else found
    skip = skipped(rest)
    total, page = requests.waiting(ask.tx, ask.scope, PAGE, skip)
    known = [(each, elder) for each in page if (elder := elders.find(ask.tx, ask.scope, each.elder_id))]
    if not known:
        return (("requests.none", {"buttons": [[["button.mine", {}, "/my"]]]}),)
    rows: Rows = [[["button.request", {"elder": elder.name, "kind": each.kind}, f"/requests {each.id}"]]
                  for each, elder in known]
    rows += further("/requests", total, skip)
    return (("requests.list", {"total": total, "buttons": rows, "lines": [
        {**of_request(each), "elder": elder.name} for each, elder in known]}),)


def take(ask: Ask, rest: str) -> Parts:
    """我去看, 我来回: one wins."""
    found = _request(ask, rest)
    if not isinstance(found[0], Request):
        return found
    request, elder = found
    if minor(ask.person.minor_until, ask.today):
        return (("requests.not_alone", {}),)
    me = ask.writer.person_id
    if family.take(ask.tx, request, elder, me, ask.house.policies, ask.now):
        return (("requests.taken", {**of_request(request), "elder": label(elder), "asker": request.asker,
                                    "words": request.words, "buttons": _steps(ask, request, elder, taken=True)}),)
    if request.taken_by == me and request.state == "taken":
        return (("requests.yours_already", {"elder": elder.name, "buttons": _steps(ask, request, elder, taken=True)}),)
    return (("requests.too_late", {**of_request(request), "elder": elder.name, "buttons": TO_REQUESTS}),)


def called_back(ask: Ask, rest: str) -> Parts:
    """已回过电话."""
    found = _request(ask, rest)
    if not isinstance(found[0], Request):
        return found
    request, _ = found
    if request.kind != "call_back" or not family.called_back(ask.tx, request, ask.writer.person_id, ask.now):
        return (("requests.ended_before", {"buttons": TO_REQUESTS}),)
    return (("requests.called_back", {"asker": request.asker, "buttons": TO_REQUESTS}),)


def let_go(ask: Ask, rest: str) -> Parts:
    """我去不了了: others are asked again."""
    found = _request(ask, rest)
    if not isinstance(found[0], Request):
        return found
    request, elder = found
    if not family.let_go(ask.tx, request, elder, ask.writer.person_id, ask.house.policies, ask.now):
        return (("requests.ended_before", {"buttons": TO_REQUESTS}),)
    return (("requests.let_go", {"buttons": TO_REQUESTS}),)


def decline(ask: Ask, rest: str) -> Parts:
    """办不了: asks why; a coordinator of the place says so."""
    found = _request(ask, rest)
    if not isinstance(found[0], Request):
        return found
    request, elder = found
    if request.state not in ("open", "taken"):
        return (("requests.ended_before", {"buttons": TO_REQUESTS}),)
    if not elders.held(ask.tx, ask.scope, elder.id):
        return (("menu.not_allowed", {}),)
    return session.start(ask, "decline", {"elder_id": elder.id, "elder_name": elder.name, "request": request.id})


def needs_listed(ask: Ask, rest: str) -> Parts:
    """The needs that are not closed, the oldest first; or one of them."""
    if rest and not rest.startswith("+"):
        found = _need(ask, rest)
        return _need_card(ask, *found) if isinstance(found[0], Need) else found
    skip = skipped(rest)
    total, page = needs.waiting(ask.tx, ask.scope, PAGE, skip)
    known = [(each, elder) for each in page if (elder := elders.find(ask.tx, ask.scope, each.elder_id))]
    if not known:
        return (("needs.none", {"buttons": [[["button.mine", {}, "/my"]]]}),)
    rows: Rows = [[["button.person", {"label": label(elder)}, f"/needs {each.id}"]] for each, elder in known]
    rows += further("/needs", total, skip)
    zone, today = ask.house.policy.zone, ask.today.isoformat()
    return (("needs.list", {"total": total, "buttons": rows, "lines": [
        {"elder": elder.name, "state": each.state, "day": each.made_at.astimezone(zone).date().isoformat(),
         "due_on": each.due_on or "", "answers": each.answers, "late": (each.due_on or today) < today}
        for each, elder in known]}),)


def arrange(ask: Ask, rest: str) -> Parts:
    """安排: asks what is done, by whom, until when."""
    found = _need(ask, rest)
    if not isinstance(found[0], Need):
        return found
    need, elder = found
    if need.state != "open":
        return (("needs.arranged_before", {"buttons": TO_NEEDS}),)
    return session.start(ask, "arrange", {"elder_id": elder.id, "elder_name": elder.name, "need": need.id})


def settle(ask: Ask, rest: str) -> Parts:
    """办结: asks what came of it; who answers for it, or a coordinator of the place, may say so."""
    found = _need(ask, rest)
    if not isinstance(found[0], Need):
        return found
    need, elder = found
    if need.state == "closed":
        return (("needs.closed_before", {"buttons": TO_NEEDS}),)
    if need.state == "open":
        return (("needs.not_arranged", {"buttons": [[["button.arrange", {}, f"/arrange {need.id}"]]]}),)
    if need.answerable != ask.writer.person_id and not elders.held(ask.tx, ask.scope, elder.id):
        return (("menu.not_allowed", {}),)
    return session.start(ask, "settle", {"elder_id": elder.id, "elder_name": elder.name, "need": need.id})


def _request_card(ask: Ask, request: Request, elder: Elder) -> Parts:
    ask.note("request.read", elder.id, ("words",))
    return (("requests.card", {
        **of_request(request), "elder": label(elder), "asker": request.asker, "words": request.words,
        "buttons": _steps(ask, request, elder, taken=False)}),)


def _steps(ask: Ask, request: Request, elder: Elder, *, taken: bool) -> Rows:
    rows: Rows = []
    if request.state == "open" and not taken:
        rows.append([[f"button.take_{request.kind}", {}, f"/take {request.id}"]])
    if request.state in ("open", "taken"):
        if request.kind == "visit" and taken:
            rows.append([["button.visit", {}, f"/visit {elder.id}"]])
        if request.kind == "call_back":
            rows.append([["button.called_back", {}, f"/answered {request.id}"]])
        if taken or request.taken_by == ask.writer.person_id:
            rows.append([["button.let_go", {}, f"/letgo {request.id}"]])
        if elders.held(ask.tx, ask.scope, elder.id):
            rows.append([["button.decline", {}, f"/decline {request.id}"]])
    return [*rows, [["button.file", {}, f"/elder {elder.id}"]]]


def _need_card(ask: Ask, need: Need, elder: Elder) -> Parts:
    ask.note("need.read", elder.id, ("what", "measure", "outcome"))
    rows: Rows = []
    if need.state == "open" and ask.may("arrange"):
        rows.append([["button.arrange", {}, f"/arrange {need.id}"]])
    if need.state == "arranged":
        rows.append([["button.settle", {}, f"/settle {need.id}"]])
    rows += [[["button.file", {}, f"/elder {elder.id}"], ["button.needs", {}, "/needs"]]]
    day = need.made_at.astimezone(ask.house.policy.zone).date().isoformat()
    return (("needs.card", {
        "elder": label(elder), "maker": need.maker, "day": day, "what": need.what, "state": need.state,
        "measure": need.measure, "answers": need.answers, "due_on": need.due_on or "", "outcome": need.outcome,
        "buttons": rows}),)


def _request(ask: Ask, rest: str) -> tuple[Request, Elder] | Parts:
    found = requests.find(ask.tx, ask.scope, rest)
    elder = elders.find(ask.tx, ask.scope, found.elder_id) if found else None
    return (found, elder) if found and elder else (("requests.gone", {"buttons": TO_REQUESTS}),)


def _need(ask: Ask, rest: str) -> tuple[Need, Elder] | Parts:
    """A need of an elder whom the asker coordinates, or for which he answers himself."""
    found = needs.find(ask.tx, ask.scope, rest)
    elder = elders.find(ask.tx, ask.scope, found.elder_id) if found else None
    if found and elder and (found.answerable == ask.writer.person_id or elders.held(ask.tx, ask.scope, elder.id)):
        return found, elder
    return (("needs.gone", {"buttons": TO_NEEDS}),)


COMMANDS = {"requests": listed, "take": take, "letgo": let_go, "answered": called_back, "decline": decline,
            "needs": needs_listed, "arrange": arrange, "settle": settle}
