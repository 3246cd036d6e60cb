"""What a reading of a device becomes: the table `[devices]` of policy.toml, which says why (C11)."""

from datetime import timedelta
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Kind = Literal["call_button", "fall", "smoke", "gas", "water_unused", "power_unused", "heart_rate", "left_home",
               "offline", "battery_low"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Outcome = Literal["alert", "check_in", "note"]
NEVER_DAMPED: frozenset[str] = frozenset({"call_button", "fall", "smoke", "gas"})
Limit = Annotated[int, Field(ge=0, le=2160)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Always(_Part):
    """A kind that is an alert whatever is measured."""

    becomes: Literal["alert"]


class Rule(_Part):
    """One kind: what it becomes, and from or below which number it becomes more."""

    becomes: Outcome
    ask_from: Limit | None = None
    alert_from: Limit | None = None
    ask_below: Limit | None = None
    alert_below: Limit | None = None

    def outcome(self, number: int | None) -> Outcome:
        """What it becomes with the number that was measured, where there is one."""
        if _past(number, self.alert_from, self.alert_below):
            return "alert"
        if _past(number, self.ask_from, self.ask_below) and self.becomes == "note":
            return "check_in"
        return self.becomes


class DeviceRules(_Part):
    """The rules of a place, by kind; hours, a count, and the days for which a coordinator may damp a device."""

    call_button: Always
    fall: Always
    smoke: Always
    gas: Always
    water_unused: Rule
    power_unused: Rule
    heart_rate: Rule
    left_home: Rule
    offline: Rule
    battery_low: Rule
    again_hours: int = Field(ge=1, le=72)
    late_hours: int = Field(ge=1, le=72)
    unanswered_ask_minutes: int = Field(ge=5, le=240)
    unanswered_alert_minutes: int = Field(ge=10, le=600)
    false_alarms: int = Field(ge=2, le=20)
    damp_days: tuple[Annotated[int, Field(ge=1, le=30)], ...] = Field(min_length=1, max_length=4)

    @model_validator(mode="after")
    def _numbers_fit(self) -> "DeviceRules":
        for kind in KINDS:
            rule = getattr(self, kind)
            if isinstance(rule, Rule) and not _ordered(rule):
                raise ValueError(f"{kind}: what is an alert lies beyond what is asked about, on either side")
        if not self.unanswered_ask_minutes < self.unanswered_alert_minutes < self.late_hours * 60:
            raise ValueError("unanswered_ask_minutes, unanswered_alert_minutes, late_hours: each must be longer")
        return self

    @property
    def unanswered_ask(self) -> timedelta:
        return timedelta(minutes=self.unanswered_ask_minutes)

    @property
    def unanswered_alert(self) -> timedelta:
        return timedelta(minutes=self.unanswered_alert_minutes)

    @property
    def again(self) -> timedelta:
        return timedelta(hours=self.again_hours)

    @property
    def late(self) -> timedelta:
        return timedelta(hours=self.late_hours)

    def outcome(self, kind: Kind, number: int | None) -> Outcome:
        """What a reading becomes, by itself: without what was told before, damping, or how late it comes."""
        rule: Always | Rule = getattr(self, kind)
        return rule.outcome(number) if isinstance(rule, Rule) else rule.becomes


def _past(number: int | None, least: int | None, below: int | None) -> bool:
    return number is not None and ((least is not None and number >= least) or (below is not None and number < below))


def _ordered(rule: Rule) -> bool:
    """Whether no number is an alert before it is asked about, and none is too low and too high at once."""
    up = [each for each in (rule.alert_below, rule.ask_below, rule.ask_from, rule.alert_from) if each is not None]
    return up == sorted(up)
