"""设置: when the day's message comes, how much of it, and on which channel."""

import re

from conversations.engine import Part
from conversations.turn import Ask
from scheduler.reminder_notices import URGENT
from storage import people

Parts = tuple[Part, ...]
Rows = list[list[list[object]]]
HOURS = ("08:00", "08:30", "09:00", "12:00", "14:00", "18:00")  # offered; any other may be typed: 设置 9:15
MUCH = ("all", URGENT)
_TYPED = re.compile(r"(\d{1,2})[:：点.](\d{2})?")


def settings(ask: Ask, rest: str) -> Parts:
    """Nothing: what is chosen. `9:15` or `at 09:15`: the hour. `much all`, `much urgent`: how much."""
    what, _, which = rest.partition(" ")
    if what == "much" and which in MUCH:
        people.choose(ask.tx, ask.writer.person_id, "how_much", which, ask.now)
        return (("settings.kept", {}), _shown(ask))
    if not rest:
        return (_shown(ask),)
    hour = _hour(which if what == "at" else rest)
    rules = ask.policy(ask.person.area_id).reminders
    if hour is None or not rules.digest_earliest <= hour <= rules.digest_latest:
        return (("settings.hour_range", {"first": rules.digest_earliest, "last": rules.digest_latest}), _shown(ask))
    people.choose(ask.tx, ask.writer.person_id, "digest_at", hour, ask.now)
    return (("settings.kept_hour", {}), _shown(ask))


def _hour(typed: str) -> str | None:
    """HH:MM, as it may be typed: 9:15, 9点, 9点30."""
    match = _TYPED.fullmatch(typed.strip().removesuffix("分"))
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else None


def _shown(ask: Ask) -> Part:
    chosen = people.choices(ask.tx, ask.writer.person_id)
    rules = ask.policy(ask.person.area_id).reminders
    now, much = chosen.digest_at or rules.digest_at, chosen.how_much or "all"
    hours: list[list[object]] = [
        ["button.at_hour", {"hour": each}, f"/settings at {each}"] for each in HOURS
        if rules.digest_earliest <= each <= rules.digest_latest and each != now]
    rows: Rows = [hours[start:start + 3] for start in range(0, len(hours), 3)]
    rows += [[[f"button.much_{each}", {}, f"/settings much {each}"]] for each in MUCH if each != much]
    rows.append([["button.channels", {}, "/channels"]])
    return ("settings.now", {"hour": now, "much": much, "first": rules.digest_earliest, "last": rules.digest_latest,
                             "buttons": rows})


COMMANDS = {"settings": settings}
