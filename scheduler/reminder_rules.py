"""When people are told of visits that are due, and when nobody is written to: `[reminders]` and `[messages]`. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

Hour = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]  # HH:MM on the wall


class Reminders(BaseModel):
    """Who is told when; policy.toml says why. Days are counted to a window's last day, which is 0 days left."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_contact_days: int = Field(ge=0, le=31)
    village_days: int = Field(ge=1)
    township_days: int = Field(ge=1)
    overdue_daily: int = Field(ge=1)
    digest_at: Hour
    digest_earliest: Hour
    digest_latest: Hour
    postpone_days: int = Field(ge=1, le=15)

    @model_validator(mode="after")
    def _in_order(self) -> "Reminders":
        if not self.digest_earliest <= self.digest_at <= self.digest_latest:
            raise ValueError("digest_at must lie between digest_earliest and digest_latest")
        return self

    def limits(self, day: date, remind_days: int) -> "Limits":
        """Of which windows whom is told on that day; `remind_days` before its end the visitor is."""
        return Limits(*(
            (day + timedelta(days=days)).isoformat() for days in (
                remind_days, self.first_contact_days, -self.village_days, -self.township_days)))


@dataclass(frozen=True, slots=True)
class Limits:
    """For each rung the latest last day (ISO) of a window that it is told of on some day."""

    visitor: str
    first_contact: str  # the last days: what somebody who wants only urgent things is told of
    village: str
    township: str


class Messages(BaseModel):
    """Quiet hours and the most reminders a person gets on a day; only lane `reminder` is bound by them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quiet_from: Hour
    quiet_until: Hour
    most_a_day: int = Field(ge=1)

    def quiet(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """Until when nobody is written to now; None where it is not a quiet hour. The same hour twice: never quiet."""
        at = now.astimezone(zone).strftime("%H:%M")
        begins, ends = self.quiet_from, self.quiet_until
        held = begins <= at < ends if begins <= ends else at >= begins or at < ends
        return None if not held else self._next(now, zone, 0 if at < ends else 1)

    def tomorrow(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The next day's first hour that is not quiet."""
        return self._next(now, zone, 1)

    def _next(self, now: datetime, zone: ZoneInfo, days: int) -> datetime:
        return at_hour(now.astimezone(zone).date() + timedelta(days=days), self.quiet_until, zone)


def at_hour(day: date, hour: str, zone: ZoneInfo) -> datetime:
    """The instant at which it is HH:MM on the wall of that day."""
    return datetime.combine(day, time.fromisoformat(hour), zone)
