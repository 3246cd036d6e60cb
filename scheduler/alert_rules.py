"""How long an alert, and an elder's 报平安, wait before more are told: two tables of policy.toml, which says why."""

from datetime import datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

ASKED_AT = time(9)  # on the wall


class AlertRules(BaseModel):
    """Seconds until a pressed 紧急 goes out as it is.

    Minutes: until the township is told of an alert that nobody took over; within which a second report joins it.
    Days after the end: the township asks what became of it, until all is answered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    details_seconds: int = Field(ge=20, le=300)
    township_minutes: int = Field(ge=1, le=60)
    join_minutes: int = Field(ge=0, le=240)
    followup_days: tuple[Annotated[int, Field(ge=1, le=90)], ...] = Field(min_length=1, max_length=6)

    @field_validator("followup_days")
    @classmethod
    def _one_after_the_other(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if list(days) != sorted(set(days)):
            raise ValueError("followup_days: each day must be later than the one before it")
        return days

    def ask_after(self, closed_at: datetime, after: datetime, zone: ZoneInfo) -> datetime:
        """When an alert closed then is asked after, the first time later than `after`: on the days of the policy, and
        again each so many days as the last of them says.
        """
        day, asked = closed_at.astimezone(zone).date(), [*self.followup_days]
        while (at := datetime.combine(day + timedelta(days=asked[0]), ASKED_AT, zone)) <= after:
            asked = asked[1:] or [asked[0] + self.followup_days[-1]]
        return at

    @property
    def goes_out_after(self) -> timedelta:
        return timedelta(seconds=self.details_seconds)

    @property
    def township_after(self) -> timedelta:
        return timedelta(minutes=self.township_minutes)

    @property
    def joins_within(self) -> timedelta:
        return timedelta(minutes=self.join_minutes)


class CheckInRules(BaseModel):
    """Minutes: for the elder's answer, for that to the second asking, for the family's; and how late is too late."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer_minutes: int = Field(ge=10, le=240)
    again_minutes: int = Field(ge=10, le=240)
    contact_minutes: int = Field(ge=10, le=240)
    late_minutes: int = Field(ge=30, le=360)
