"""Who is told when nobody takes an alert over, and when: the table `[ladders]` of policy.toml, which says why (C12).

A ladder is a list of rungs, each so many minutes after the alert began to wait. How many were climbed, and from when
they count, is kept with the alert: whatever happens between two rungs, each is climbed once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

# those near who may go; the one who took it over; the family, but of what is kept from it; the coordinators of these
# ranks, or of the next one that is reached
Rank = Literal["near", "goer", "family", "township", "county", "city"]
DEFAULT = "default"  # the ladder of every kind that has none of its own
# every kind of alert that can wait: what somebody presses, and what check-ins, calls and devices raise
KINDS = frozenset({
    "sos", "fall", "illness", "lost", "fire", "gas", "electric", "house", "missing", "epidemic", "abuse", "self_harm",
    "no_check_in", "unreachable", "help", "water_unused", "power_unused", "heart_rate", "left_home", "offline",
    "battery_low", "other"})


class Rung(BaseModel):
    """After so many minutes these are told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: int = Field(ge=0, le=1440)
    tell: tuple[Rank, ...] = Field(min_length=1)

    def at(self, since: datetime) -> datetime:
        """When it is due for what waits since then."""
        return since + timedelta(minutes=self.after)


Rungs = tuple[Rung, ...]


class Ladder(BaseModel):
    """The rungs while nobody goes, by day and at night; those while who went has not said that he is there, and those
    from then on until it ends (none: nobody is asked).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    day: Rungs = Field(min_length=1)
    night: Rungs = Field(min_length=1)
    not_there: Rungs = Field(min_length=1)
    not_ended: Rungs = ()

    @model_validator(mode="after")
    def _climbs(self) -> "Ladder":
        ladders = {"day": self.day, "night": self.night, "not_there": self.not_there}
        for name, rungs in (ladders | {"not_ended": self.not_ended} if self.not_ended else ladders).items():
            if [each.after for each in rungs] != sorted({each.after for each in rungs}):
                raise ValueError(f"{name}: each rung must be later than the one before it")
            told = {rank for each in rungs for rank in each.tell}
            if not told & {"township", "county", "city"}:
                raise ValueError(f"{name}: no rung tells the township or anybody above it")
            if "goer" in told and name in ("day", "night"):
                raise ValueError(f"{name}: nobody goes yet, so there is no goer to tell")
        return self


def of_kind(ladders: "dict[str, Ladder]", kind: str) -> Ladder:
    """The ladder of this kind of alert."""
    return ladders.get(kind) or ladders[DEFAULT]


def complete(ladders: "dict[str, Ladder]") -> "dict[str, Ladder]":
    """Refuses a table without a default, or with a kind that no alert is of. Raises ValueError."""
    if DEFAULT not in ladders:
        raise ValueError("there must be a ladder called default")
    if unknown := sorted(ladders.keys() - KINDS - {DEFAULT}):
        raise ValueError(f"no alert is of this kind: {', '.join(unknown)}")
    return ladders


def passed(rungs: Sequence[Rung], since: datetime, now: datetime) -> int:
    """How many rungs are due by now."""
    return sum(each.at(since) <= now for each in rungs)


def next_at(rungs: Sequence[Rung], climbed: int, since: datetime) -> datetime | None:
    """When the next one is due; None where all were climbed."""
    return rungs[climbed].at(since) if climbed < len(rungs) else None
