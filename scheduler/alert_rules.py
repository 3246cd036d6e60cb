"""How long an alert, and an elder's 报平安, wait before more are told: two tables of policy.toml, which says why."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field


class AlertRules(BaseModel):
    """Seconds until a pressed 紧急 goes out as it is.

    Minutes: until the township is told of an alert that nobody took over; within which a second report joins it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    details_seconds: int = Field(ge=20, le=300)
    township_minutes: int = Field(ge=1, le=60)
    join_minutes: int = Field(ge=0, le=240)

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
