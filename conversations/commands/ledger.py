"""台账: the ledger in numbers, for who coordinates the area; every number leads to its list (C3)."""

from datetime import timedelta

from conversations import lists
from conversations.engine import Part
from conversations.lists import further, skipped
from conversations.turn import Ask
from scheduler import annex2
from scheduler.policy import CATEGORIES
from storage import areas, ledger_counts
from storage.areas import Area

MOST = 30  # villages in one message
Rows = list[list[list[object]]]
# what is counted, and the command that lists it
LISTS = (("incomplete", "complete"), ("old", "refresh"), ("no_visitor", "assign"), ("no_first_contact", "firstcontact"),
         ("proposed", "pending"))


def ledger(ask: Ask, rest: str) -> tuple[Part, ...]:
    """The numbers of the asker's area, or of one village in it: by id or name, `+30` are the villages after those."""
    villages = [area for area in areas.held(ask.tx, ask.writer.person_id) if area.level == "village"]
    skip = skipped(rest)
    chosen = [area for area in villages if rest in (area.id, area.name)] if rest and not skip else []
    if (rest and not skip and not chosen) or not villages:
        return (("numbers.no_village", {"buttons": [[["button.mine", {}, "/my"]]]}),)
    if len(chosen) > 1:
        return (("numbers.several", {"buttons": _villages(ask, chosen, 0)}),)
    village = chosen[0] if chosen else villages[0] if len(villages) == 1 else None
    rules = ask.policy(village.id if village else ask.person.area_id)
    since = ask.today - timedelta(days=rules.refresh_days)
    found = ledger_counts.count(ask.tx, ask.scope, village.id if village else "", CATEGORIES, annex2.NAMES,
                                since.isoformat())
    numbers = {"incomplete": found.incomplete, "old": found.old, "no_visitor": found.no_visitor,
               "no_first_contact": found.no_first_contact, "proposed": found.proposals.get("proposed", 0)}
    buttons: Rows = [
        [[f"numbers_button.{what}", {}, f"/{slash}"]]
        for what, slash in LISTS if numbers[what] and ask.may(slash)]
    if village is None:
        buttons += _villages(ask, villages, skip)
    elif len(villages) > 1:
        buttons.append([["numbers_button.whole", {}, "/ledger"]])
    return (("numbers.ledger", {
        "where": village.name if village else "", "villages": len(villages), "open": found.open,
        "classes": found.classes, "categories": {name: count for name, count in found.categories.items() if count},
        "paused": found.paused, "wishes": found.wishes, "closed": found.closed, "lacking": found.lacking,
        "growing": found.proposals.get("growing", 0), **numbers,
        "buttons": buttons or [[["button.mine", {}, "/my"]]]}),)


def to_complete(ask: Ask, rest: str) -> tuple[Part, ...]:
    """The files that lack anything of annex 2, village by village."""
    skip = skipped(rest)
    total, page = ledger_counts.incomplete(ask.tx, ask.scope, lists.PAGE, skip)
    if not page:
        return (("numbers.all_complete", {"buttons": [[["button.mine", {}, "/my"]]]}),)
    kind, fields = lists.page("numbers.to_complete", page, "complete", total, skip)
    gaps = [{"label": label, "count": len(elder.missing.split())}
            for label, elder in zip(fields["people"], page, strict=True)]
    return ((kind, {**fields, "people": gaps}),)


def _villages(ask: Ask, known: list[Area], skip: int) -> Rows:
    shown = known[skip:skip + MOST]
    rows: Rows = [[["survey_button.village", {"village": area.name}, f"/ledger {area.id}"]] for area in shown]
    rows += further("/ledger", len(known), skip, MOST)
    return rows


COMMANDS = {"ledger": ledger}
