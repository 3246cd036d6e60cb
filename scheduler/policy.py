"""The policy file: the city's rules, what each county does otherwise, and each township where it may.

`policy.toml` holds what the plan says or leaves open. The city's own file sets values over it, and under
`[areas."江阳区"]` or `[areas."江阳区/云溪镇"]` those of a county or township. All of it is checked when it is read.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from scheduler import ladders
from scheduler.alert_rules import AlertRules, CheckInRules
from scheduler.calendar import Festival
from scheduler.call_rules import Calls
from scheduler.campaign_rules import CampaignRules
from scheduler.device_rules import DeviceRules
from scheduler.ladders import Ladder
from scheduler.reminder_rules import Messages, Reminders
from scheduler.retention import Retention
from scheduler.visitor_kinds import VisitorKind
from storage import areas
from storage.areas import Area
from storage.database import Tx

DEFAULT = Path(__file__).parent / "policy.toml"
CITY_ONLY = frozenset({"timezone", "messages", "retention", "figures_cut_off_days"})  # one of each for all

Category = Literal["childless_alone", "living_alone", "empty_nest", "left_behind", "care_dependent",
                   "severely_disabled", "special_family_planning"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
Ability = Literal["intact", "mild", "moderate", "severe", "total"]
Method = Literal["home", "phone", "video", "other"]
Post = Literal["village", "township", "county", "city"]
Grade = Annotated[int, Field(ge=1, le=4)]
Begins = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])$")]  # a day of every year, as MM-DD
Origin = Literal["plan", "city", "county", "township"]
Place = tuple[str, ...]  # a county's name, or a county's and a township's


class PolicyError(Exception):
    """The policy file cannot be used; the text names the file, the area and the value."""


class Policy(BaseModel):
    """One place's rules; `policy.toml` says what each means and where it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timezone: str
    old_age: int = Field(ge=60, le=120)
    second_half_from: int = Field(ge=2, le=28)
    screening_days: int = Field(ge=1)
    due_soon_days: int = Field(ge=0, le=14)
    remind_days: int = Field(ge=0, le=14)
    least_days: int = Field(ge=1, le=14)
    late_entry_days: int = Field(ge=0, le=31)
    refresh_days: int = Field(ge=1)
    wish_again_days: int = Field(ge=1)
    registration_confirmed_by: Post
    first_contact_confirmed_by: tuple[Post, ...] = Field(min_length=1)
    life_confirmed_by: Post
    same_place_level: Literal["group", "village", "township", "county"]
    home_methods: tuple[Method, ...] = Field(min_length=1)
    figures_cut_off_days: int = Field(ge=0, le=25)
    priority_categories: tuple[Category, ...]
    priority_alone_when_old: tuple[Category, ...]
    priority_until_graded: tuple[Literal["severely_disabled", "care_dependent"], ...]
    priority_abilities: tuple[Ability, ...]
    priority_disability_grades: tuple[Grade, ...]
    terms: tuple[Begins, ...] = Field(min_length=1)
    visitor_kinds: dict[str, VisitorKind]
    alerts: AlertRules
    ladders: dict[str, Ladder]
    check_ins: CheckInRules
    campaigns: CampaignRules
    festivals: dict[str, Festival]
    calls: Calls
    devices: DeviceRules
    reminders: Reminders
    messages: Messages
    retention: Retention

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError):
            raise ValueError(f"no such time zone: {name}") from None
        return name

    @field_validator("ladders")
    @classmethod
    def _complete(cls, given: dict[str, Ladder]) -> dict[str, Ladder]:
        return ladders.complete(given)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True)
class Rule:
    """A value that holds in a place, and who set it: the plan (as shipped), the city's file, or an area in it."""

    key: str
    value: Any
    origin: Origin
    place: str = ""  # the county or township that set it


class Policies:
    """The rules of every place of one installation."""

    def __init__(self, city: Policy, set_by_city: Iterable[str] = (),
                 own: Mapping[Place, Mapping[str, Any]] | None = None, township_may_set: Iterable[str] = ()) -> None:
        """`own`: what counties and townships set themselves. Raises PolicyError naming area and key."""
        self.city = city
        self._set_by_city = frozenset(set_by_city)
        self._own = own or {}
        self._at = {place: _validated(self._laid(place), place) for place in self._own}
        for place, values in self._own.items():
            _refuse(place, values.keys() & CITY_ONLY, "only the city sets this")
            if len(place) > 1:
                _refuse(place, values.keys() - frozenset(township_may_set), "no line of township_may_set allows it")
        self._kept: dict[str, Policy] = {}  # by area id: areas do not move

    def at(self, county: str = "", township: str = "") -> Policy:
        """The rules in a township, or of a county."""
        return self._at.get((county, township)) or self._at.get((county,)) or self.city

    def of(self, tx: Tx, area_id: str) -> Policy:
        """The rules in an area of the tree, such as an elder's village. Raises LookupError where there is none."""
        if not self._own:
            return self.city
        found = self._kept.get(area_id)
        if found is None:
            found = self._kept[area_id] = self.at(*place(tx, area_id))
        return found

    def rules(self, county: str = "", township: str = "") -> list[Rule]:
        """Every rule that holds there, with where it comes from, in the order of the policy file."""
        found = []
        for key, value in self.at(county, township):
            if key in self._own.get((county, township), {}):
                found.append(Rule(key, value, "township", township))
            elif key in self._own.get((county,), {}):
                found.append(Rule(key, value, "county", county))
            else:
                found.append(Rule(key, value, "city" if key in self._set_by_city else "plan"))
        return found

    def not_in(self, tree: Iterable[Area]) -> list[str]:
        """The areas of the file that the tree does not have (a name spelt otherwise sets nothing)."""
        by_id = {area.id: area for area in tree}
        there = {_names(_line(area, by_id)) for area in by_id.values() if area.level in ("county", "township")}
        return ["/".join(each) for each in self._own if each not in there]

    @property
    def digest(self) -> str:
        """Changes when any rule of any place does."""
        whole = [self.city.model_dump_json(), *(f"{at} {rules.model_dump_json()}" for at, rules in self._at.items())]
        return hashlib.sha256("\n".join(sorted(whole)).encode()).hexdigest()

    def _laid(self, at: Place) -> dict[str, Any]:
        return _over(_over(self.city.model_dump(), self._own.get(at[:1], {})), self._own[at])


def place(tx: Tx, area_id: str) -> tuple[str, str]:
    """The county and township that an area lies in; empty where it lies in none. Raises LookupError."""
    area = areas.find(tx, area_id)
    if area is None:
        raise LookupError(f"no area {area_id}")
    county, township, *_ = (*_names(areas.above(tx, area)), "", "")
    return county, township


def _names(line: Iterable[Area]) -> Place:
    """A county's name, and a township's where there is one; a township without a county is the city's."""
    named = {area.level: area.name for area in line}
    county, township = named.get("county"), named.get("township")
    return tuple(filter(None, (county, township))) if county else ()


def _line(area: Area, by_id: Mapping[str, Area]) -> list[Area]:
    return [by_id[each] for each in area.path.split("/") if each in by_id]


def load(path: Path | None = None) -> Policies:
    """The policy in a toml file; what it leaves out, or without a file all of it, is as in the default.

    Raises PolicyError.
    """
    path = path or DEFAULT
    try:
        values = tomllib.loads(DEFAULT.read_text(encoding="utf-8"))
        given = tomllib.loads(path.read_text(encoding="utf-8")) if path != DEFAULT else {}
        own = _areas(given.pop("areas", {}))
        values = _over(values, given)
        township_may_set = values.pop("township_may_set")
        _check_names(township_may_set)
        return Policies(_validated(values), given, own, township_may_set)
    except (OSError, ValueError, PolicyError) as error:
        raise PolicyError(f"policy file {path}: {error}") from None


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The rules below with those above set over them; of a table, line by line."""
    return {**below, **{name: {**below[name], **value} if isinstance(value, dict) and isinstance(
        below.get(name), dict) else value for name, value in above.items()}}


def _areas(tables: Any) -> dict[Place, dict[str, Any]]:
    """The areas' tables by place. Raises PolicyError."""
    if not isinstance(tables, dict):
        raise PolicyError("areas: must be tables such as [areas.\"江阳区\"]")
    found: dict[Place, dict[str, Any]] = {}
    for name, values in tables.items():
        at = tuple(part.strip() for part in name.split("/"))
        if len(at) > 2 or not all(at):
            raise PolicyError(f"areas, {name}: must be a county, or a county and a township with / between")
        if at in found:
            raise PolicyError(f"areas, {'/'.join(at)}: stands there twice")
        if not isinstance(values, dict):
            raise PolicyError(f"areas, {name}: must be a table of rules")
        found[at] = values
    return found


def _check_names(township_may_set: Any) -> None:
    allowed = Policy.model_fields.keys() - CITY_ONLY
    if not isinstance(township_may_set, list) or not allowed.issuperset(map(str, township_may_set)):
        raise PolicyError(f"township_may_set: must be a list of {', '.join(sorted(allowed))}")


def _validated(values: Mapping[str, Any], at: Place = ()) -> Policy:
    try:
        return Policy.model_validate(values)
    except ValidationError as error:
        where = f"areas, {'/'.join(at)}, " if at else ""
        raise PolicyError("; ".join(
            f"{where}{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())) from None


def _refuse(at: Place, keys: Iterable[str], why: str) -> None:
    for key in sorted(keys):
        raise PolicyError(f"areas, {'/'.join(at)}, {key}: {why}")
