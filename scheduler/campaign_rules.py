"""How campaigns are held (三(六)2, C13): `[campaigns]` in policy.toml, which says why."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["epidemic", "weather", "festival", "other"]
By = Literal["home", "phone", "video", "other"]


class CampaignRules(BaseModel):
    """policy.toml says what each means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    propose_days: int = Field(ge=1, le=60)
    proposed_to: Literal["township", "county"]
    every_days: int = Field(ge=1, le=31)
    within_hours: int = Field(ge=1, le=168)
    weather_at_once: bool
    epidemic: tuple[By, ...] = Field(min_length=1)
    weather: tuple[By, ...] = Field(min_length=1)
    festival: tuple[By, ...] = Field(min_length=1)
    other: tuple[By, ...] = Field(min_length=1)

    def met_by(self, kind: str) -> tuple[By, ...]:
        """The ways of visiting by which a campaign of this kind reaches somebody."""
        found: dict[str, tuple[By, ...]] = {
            "epidemic": self.epidemic, "weather": self.weather, "festival": self.festival}
        return found.get(kind, self.other)
