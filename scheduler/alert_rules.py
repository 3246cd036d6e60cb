"""How long an alert, and an elder's 报平安, wait before more are told: two tables of policy.toml, which says why."""

from datetime import datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from scheduler import ladders

ASKED_AT = time(9)  # on the wall
Hour = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]  # HH:MM on the wall


class AlertRules(BaseModel):
    """Seconds until a pressed 紧急 goes out as it is. Who is told later, and when, stands in `[ladders]`.

    Minutes: after which who has not seen it is told on his next channel; within which a second report joins one that
    runs; within which 需要支援 tells nobody again; within which so many alerts of one kind in one village (`many`) are
    a matter for the rank `many_to`.
    After `drill_minutes` a drill ends by itself. Days after the end: the township asks what became of it, until all is
    answered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    details_seconds: int = Field(ge=20, le=300)
    phone: str = Field(default="", pattern=r"^([0-9][0-9-]{2,19})?$")  # whom the family may ring; a county sets its own
    seen_minutes: int = Field(ge=1, le=30)
    join_minutes: int = Field(ge=0, le=240)
    support_minutes: int = Field(ge=1, le=120)
    night_from: Hour
    night_until: Hour
    many: dict[str, Annotated[int, Field(ge=2, le=50)]]
    many_minutes: int = Field(ge=10, le=1440)
    many_to: Literal["township", "county", "city"]
    drill_minutes: int = Field(ge=10, le=480)
    followup_days: tuple[Annotated[int, Field(ge=1, le=90)], ...] = Field(min_length=1, max_length=6)

    @field_validator("followup_days")
    @classmethod
    def _one_after_the_other(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if list(days) != sorted(set(days)):
            raise ValueError("followup_days: each day must be later than the one before it")
        return days

    @field_validator("many")
    @classmethod
    def _known(cls, many: dict[str, int]) -> dict[str, int]:
        if unknown := sorted(many.keys() - ladders.KINDS):
            raise ValueError(f"many: no alert is of this kind: {', '.join(unknown)}")
        return many

    def night(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether it is night on the wall then; the night may go past midnight."""
        hour = f"{at.astimezone(zone):%H:%M}"
        if self.night_from <= self.night_until:
            return self.night_from <= hour < self.night_until
        return hour >= self.night_from or hour < self.night_until

    def ask_after(self, closed_at: datetime, after: datetime, zone: ZoneInfo) -> datetime:
        """When an alert closed then is asked after, the first time later than `after`: on the days of the policy, and
        again each so many days as the last of them says.
        """
        day, asked = closed_at.astimezone(zone).date(), [*self.followup_days]
        while (at := datetime.combine(day + timedelta(days=asked[0]), ASKED_AT, zone)) <= after:
            asked = asked[1:] or [asked[0] + self.followup_days[-1]]
        return at

    @property
    def drill_for(self) -> timedelta:
        return timedelta(minutes=self.drill_minutes)

    @property
    def seen_after(self) -> timedelta:
        return timedelta(minutes=self.seen_minutes)

    @property
    def goes_out_after(self) -> timedelta:
        return timedelta(seconds=self.details_seconds)

    @property
    def support_again_after(self) -> timedelta:
        return timedelta(minutes=self.support_minutes)

    @property
    def many_within(self) -> timedelta:
        return timedelta(minutes=self.many_minutes)

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
