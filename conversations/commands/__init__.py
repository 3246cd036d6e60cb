"""The commands: one file a family. Each file names its commands in `COMMANDS`."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from conversations.commands import (
    added,
    alerts,
    calling,
    campaign,
    cannot,
    channels,
    checkins,
    correction,
    devices,
    drill,
    due,
    duty,
    elders,
    exchange,
    family,
    family_choice,
    figures,
    firstcontact,
    followups,
    general,
    glass,
    groups,
    handing,
    hours,
    identify,
    invite,
    leave,
    ledger,
    life,
    pending,
    people,
    plan,
    policy,
    print_file,
    privacy,
    record,
    register,
    remind,
    requests,
    seen,
    settings,
    sos,
    survey,
    tellings,
    visit,
    wecom,
)
from conversations.engine import Part
from conversations.turn import Ask

Action = Callable[[Ask, str], tuple[Part, ...]]


class Named(BaseModel):
    """How a command is called: the slash name, the words typed for it, and its line in the help."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slash: str
    words: tuple[str, ...]
    about: str
    hidden: bool = False  # reached by a button, not shown in the help


_raw: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent.parent / "words" / "commands.toml").read_text(encoding="utf-8"))
NAMES = {name: Named(**{"slash": name, **values}) for name, values in _raw["commands"].items()}
TOPICS: dict[str, list[str]] = _raw["topics"]  # of the help, the one shown at once first
ACTIONS: dict[str, Action] = {name: action for family in (
    general, elders, visit, record, correction, register, survey, life, pending, people, firstcontact, invite,
    identify, channels, exchange, privacy, policy, hours, ledger, due, cannot, leave, remind, settings, plan,
    campaign, family, requests, tellings, figures, alerts, checkins, devices, glass, groups, sos, seen, handing, duty,
    followups, calling, family_choice, added, drill, wecom, print_file,
) for name, action in family.COMMANDS.items()}
_CALLS = {call: name for name, named in NAMES.items() for call in (f"/{named.slash}", *named.words)}
VISIT_OPENERS = frozenset((f"/{NAMES['visit'].slash}", *NAMES["visit"].words))


def called(text: str) -> tuple[str, str] | None:
    """The command that a text calls, with what follows its name; None where it calls none.

    A word calls a command alone or with something after a space: 档案 张桂芳.
    """
    word, _, rest = text.strip().partition(" ")
    name = _CALLS.get(word) or _CALLS.get(word.lower())
    return (name, rest.strip()) if name else None
