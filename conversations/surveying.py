"""What a survey of a group becomes when its form is submitted."""

from conversations.draft import Draft
from conversations.ended import Ended
from conversations.form import Form
from conversations.lookups import villages
from conversations.turn import Ask
from storage import areas, surveys


def submit(ask: Ask, form: Form, draft: Draft) -> Ended:
    """Keeps it; the group becomes an area of its own where it was only a word in files. Says what is still to do."""
    given = {name: answer.value for name, answer in draft.answers.items()}
    village = next((area for area in villages(ask) if area.id == given["village"]), None)
    if village is None:
        return Ended((("survey.no_village", {}),), "paused")
    name, found = str(given["group"]), int(str(given["found"]))
    group = areas.add(ask.tx, village, "group", name, ask.now)
    surveys.write(ask.tx, group.id, str(given["day"]), int(str(given["households"])), found, ask.writer.person_id,
                  ask.now)
    groups = surveys.coverage(ask.tx, village.id)
    registered = next((each.registered for each in groups if each.group == name), 0)
    buttons = [[["survey_button.village", {"village": village.name}, f"/survey {village.id}"]],
               [["button.register", {}, "/register"]]]
    return Ended((("survey.written", {
        "group": name, "short": max(found - registered, 0), "buttons": buttons,
        "left": [each.group for each in groups if each.on_day is None]}),), result=group.id)
