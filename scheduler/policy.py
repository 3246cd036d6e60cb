"""The policy file: what a county may set, checked when it is read."""

import tomllib
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from scheduler.retention import Retention

DEFAULT = Path(__file__).parent / "policy.toml"


class PolicyError(Exception):
    """The policy file cannot be used; the text names the file and the value."""


class Policy(BaseModel):
    """One place's rules; `policy.toml` says what each means and where it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timezone: str
    old_age: int = Field(ge=60, le=120)
    second_half_from: int = Field(ge=2, le=28)
    screening_days: int = Field(ge=1)
    due_soon_days: int = Field(ge=0, le=14)
    registration_confirmed_by: Literal["village", "township", "county", "city"]
    life_confirmed_by: Literal["village", "township", "county", "city"]
    refresh_days: int = Field(ge=1)
    wish_again_days: int = Field(ge=1)
    home_methods: tuple[str, ...]
    priority_categories: tuple[str, ...]
    priority_alone_when_old: tuple[str, ...]
    priority_until_graded: tuple[str, ...]
    priority_abilities: tuple[str, ...]
    priority_disability_grades: tuple[int, ...]
    retention: Retention

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError):
            raise ValueError(f"no such time zone: {name}") from None
        return name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def load(path: Path = DEFAULT) -> Policy:
    """The policy in a toml file; what the file leaves out is as in the default. Raises PolicyError."""
    try:
        values = tomllib.loads(DEFAULT.read_text(encoding="utf-8"))
        if path != DEFAULT:
            for name, value in tomllib.loads(path.read_text(encoding="utf-8")).items():
                values[name] = {**values.get(name, {}), **value} if isinstance(value, dict) else value
        return Policy.model_validate(values)
    except (OSError, ValueError) as error:
        raise PolicyError(f"policy file {path}: {error}") from None
