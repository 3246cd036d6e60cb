"""What of a visit may be told to a child: by area, without what the elder keeps to himself. Pure.

Only choices of annex 3 are told, never a sentence that somebody wrote: it may speak of others, or of what the elder
did not want told. Neither are the mood screening, hygiene, an illness's name, and what was said of the family.
"""

from collections.abc import Mapping
from typing import Any

Told = dict[str, tuple[tuple[str, str | tuple[str, ...]], ...]]  # by area: question and answer, or several

# the questions of each area; `withheld` in tellings names areas
AREAS: dict[str, tuple[str, ...]] = {
    "health": ("expression", "mobility", "reaction", "illness"),
    "mood": ("mood",),
    "home": ("gas", "water_heating", "electricity"),
    "needs": ("need_kinds",),
}
AS_EVER = frozenset({"unchanged", "safe"})  # not worth a word of its own
KEPT = "keep_from_family"  # the question of the visit: what he asked that day not to tell
# what its answers keep from them
WITHHELD = {"health": "health", "mood": "mood", "money": "economy", "needs": "needs"}
NEED_OF = {"medical": "health", "hardship": "economy", "counselling": "mood", "comfort": "mood"}
NEVER = frozenset({"none", "family"})  # 家庭关系调适: between him and them


def tellable(answers: Mapping[str, Any], withheld: frozenset[str]) -> Told | None:
    """What may be told of a visit's answers (question: value); None where he asked to keep all of it."""
    if "all" in answers.get(KEPT, ()):
        return None
    withheld |= _kept(answers)
    found: Told = {}
    for area, questions in AREAS.items():
        if area in withheld:
            continue
        if area == "needs":
            kinds = tuple(each for each in answers.get("need_kinds", ())
                          if each not in NEVER and NEED_OF.get(each) not in withheld)
            found[area] = (("need_kinds", kinds),) if kinds else ()
            continue
        given = [(question, str(answers[question])) for question in questions if answers.get(question)]
        if given:  # an empty line: all of it is as ever
            found[area] = tuple((question, value) for question, value in given if value not in AS_EVER)
    return found


def changed(before: Mapping[str, Any], after: Mapping[str, Any], withheld: frozenset[str]) -> bool:
    """Whether something that was told, and may be told still, is otherwise with the visit's new answers: what is only
    left out now is no reason to write again.
    """
    both = withheld | _kept(before) | _kept(after)
    now = tellable(after, both)
    return now is not None and now != tellable(before, both)


def _kept(answers: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(WITHHELD[each] for each in answers.get(KEPT, ()) if each in WITHHELD)
