"""What happened in the demo village: on which days somebody was visited, and what was answered. Pure, but for `rng`."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from bot.demo.cast import Cast, Lately, Weights
from conversations import walk
from conversations.draft import Answer, Draft, Manner, Value, dump_answers
from conversations.form import Form, Question
from scheduler import cadence
from scheduler.cadence import Window
from scheduler.policy import Policy
from storage.ids import millis

HOME = "home"
OPENS, WORKING_MINUTES = time(8, 30), 9 * 60
AT_LEAST = timedelta(minutes=15)  # a visit's time


@dataclass(frozen=True, slots=True)
class Visited:
    """A visit on a day, written at a time, at home or by phone or video."""

    day: date
    at: datetime
    home: bool


def visits(rng: random.Random, care_class: str, begin: date, now: datetime, lately: Lately, policy: Policy,
           ) -> Iterator[Visited]:
    """The visits from a day on until now: most windows met, with gaps; the last ones so that `lately` is true."""
    today = now.astimezone(policy.zone).date()
    window = cadence.window(care_class, begin, policy)
    while window.last < today:
        following = cadence.window(care_class, window.last + timedelta(days=1), policy)
        newest = following.last >= today
        met = lately != "overdue" if newest else rng.random() < 0.9
        called = rng.random() < (0.2 if met else 0.6)
        days = Window(max(window.first, begin), window.last)
        for home in [True] * met + [False] * called:
            yield from _written(rng, days, home, now, policy)
        window = following
    if lately == "met":
        yield from _written(rng, Window(max(window.first, begin), today), True, now, policy)


def _written(rng: random.Random, days: Window, home: bool, now: datetime, policy: Policy) -> Iterator[Visited]:
    """A visit on one of these days; none where the only one is today and it is too early for it."""
    day = days.first + timedelta(days=rng.randint(0, (days.last - days.first).days))
    minutes, late = rng.randrange(WORKING_MINUTES), rng.random() < 0.05
    opens = datetime.combine(day, OPENS, policy.zone)
    at = opens + timedelta(minutes=minutes)
    if at > now:
        if now - opens >= AT_LEAST:
            at = opens + (now - opens) * (minutes / WORKING_MINUTES)
        elif day > days.first:
            day, at = day - timedelta(days=1), at - timedelta(days=1)
        else:
            return
    if late and at + timedelta(days=1) < now:
        at += timedelta(days=1)
    yield Visited(day, at, home)


class Answering:
    """Fills the visit form as a grid worker would."""

    def __init__(self, cast: Cast, form: Form, rng: random.Random) -> None:
        self._cast = cast
        self._form = form
        self._rng = rng

    def visit(self, elder_id: str, visited: Visited, screening_due: bool) -> dict[str, list[Any]]:
        """All answers, as the ledger keeps them."""
        answers: dict[str, Answer] = {}
        draft = Draft("", "", self._form.hash, answers=answers, context={"screening_due": screening_due})
        at = visited.at - timedelta(minutes=self._rng.uniform(4, 9))
        choosing: Manner = self._rng.choice(("tap", "tap", "digits"))
        for question in self._form.questions:
            if (question.quiet and not question.default) or not walk.applies(question, draft):
                continue
            if question.quiet:
                value: Value = visited.day.isoformat() if question.default == "today" else question.default
                late = question.kind == "date" and visited.day < visited.at.date()
                answers[question.id] = Answer(value, millis(at), "text" if late else "default")
                continue
            at += timedelta(seconds=self._rng.uniform(3, 12))
            value = self._value(question, elder_id, visited, answers)
            if question.kind == "person":
                manner: Manner = "tap"
            else:
                manner = choosing if question.options or value == "" else "text"
            answers[question.id] = Answer(value, millis(min(at, visited.at)), manner)
        return dump_answers(answers)

    def _value(self, question: Question, elder_id: str, visited: Visited, answers: dict[str, Answer]) -> Value:
        match question.kind:
            case "person":
                return elder_id
            case "date":
                return visited.day.isoformat()
            case "number":
                return max(question.least, 1)
            case "choices":
                return [self._option(question, visited.home)]
            case "choice" | "signature":
                return HOME if question.id == "method" and visited.home else self._option(question, visited.home)
            case _:
                return self._text(question, visited.home, answers)

    def _option(self, question: Question, home: bool) -> str:
        weights: Weights = self._cast.likely.get(question.id, {})
        if not home:
            weights = self._cast.likely_remote.get(question.id, weights)
        known = {option: weight for option, weight in weights.items() if option in question.option_ids}
        if not known:  # a question that was added to the form later
            return question.unchanged or question.alone or question.option_ids[0]
        return self._rng.choices(list(known), list(known.values()))[0]

    def _text(self, question: Question, home: bool, answers: dict[str, Answer]) -> str:
        texts = self._cast.texts.get(question.id, ())
        if question.id == "needs":
            kinds = answers["need_kinds"].value
            wanted = kinds if isinstance(kinds, list) else []
            texts = tuple(text for kind in wanted for text in self._cast.needs.get(kind, ()))
        elif not home:
            texts = self._cast.texts_remote.get(question.id, texts)
        return self._rng.choice(texts) if texts else ""
