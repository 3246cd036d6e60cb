"""Who and what is in the demo village: `demo_village.toml`, read and checked."""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

FILE = Path(__file__).parent.parent / "demo_village.toml"

Lately = Literal["overdue", "met", "open"]
Weights = dict[str, int]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ElderLine(_Part):
    """One elder. `new` ones were registered by the bot itself, the others brought along from a ledger on paper."""

    name: str
    sex: Literal["male", "female"]
    age: int
    group: str
    categories: tuple[str, ...]
    ability: str
    grade: int | None = None
    new: bool = False
    lately: Lately | None = None


class Worker(_Part):
    """A grid worker with the elders in his care."""

    name: str
    elders: tuple[ElderLine, ...]


class Village(_Part):
    """A village; its coordinator by name."""

    name: str
    coordinator: str
    workers: tuple[Worker, ...]


class Volunteer(_Part):
    """A volunteer who calls some of a village's elders, beside the grid workers."""

    name: str
    village: str
    elders: tuple[str, ...]


class Family(_Part):
    """An adult child of an elder, and what as."""

    name: str
    elder: str
    roles: tuple[str, ...]


class PhoneLine(_Part):
    """A person who has a phone on the playground's page."""

    account: str
    name: str


class Cast(_Part):
    """The whole township. The last tables are by question (`needs`: by kind of need): weights of options, and texts."""

    city: str
    county: str
    township: str
    township_coordinator: str
    county_code: str
    phones: tuple[PhoneLine, ...]
    families: tuple[Family, ...]
    volunteer: Volunteer
    villages: tuple[Village, ...]
    likely: dict[str, Weights]
    likely_remote: dict[str, Weights]
    texts: dict[str, tuple[str, ...]]
    texts_remote: dict[str, tuple[str, ...]]
    needs: dict[str, tuple[str, ...]]


def load(path: Path = FILE) -> Cast:
    """The cast in a toml file."""
    return Cast.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
