"""The rules for calls of the family; `policy.toml` says what each means."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Wall = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]  # HH:MM where the elders live


class Calls(BaseModel):
    """When children living elsewhere are reminded, and what follows from what they answer (三(一))."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weekday: int = Field(ge=0, le=6)
    at: Wall
    earliest: Wall
    latest: Wall
    again_days: int = Field(ge=1, le=6)
    summaries: Literal["each", "monthly", "emergency"]
    monthly_at: Wall
    taken_within_hours: int = Field(ge=1, le=48)
    alert_within_hours: int = Field(ge=1, le=72)
    beside_days: int = Field(ge=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.earliest <= self.at <= self.latest:
            raise ValueError(f"at {self.at} must lie between earliest {self.earliest} and latest {self.latest}")
        return self

    def within(self, at: str) -> str:
        """The time nearest to `at` (HH:MM) at which a reminder may come."""
        return min(max(at, self.earliest), self.latest)
