"""Every sentence the bot says: Jinja2 templates in `words/`, compiled once, strict about their fields."""

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache, partial
from pathlib import Path
from types import CodeType, MappingProxyType
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

FOLDER = Path(__file__).parent / "words"
_NAMES = tomllib.loads((FOLDER / "names.toml").read_text(encoding="utf-8"))
_KINDS = tomllib.loads((FOLDER / "roles.toml").read_text(encoding="utf-8"))["visitor_kind"]
NOT_SENTENCES = ("names", "controls", "spoken", "commands", "wechat_menu", "wecom_menu")
# by kind of channel (a filter of constants is done when it is compiled) and text: each once in a process, when first
# said: all at once would take 0.1 s
_COMPILED: dict[tuple[bool, str], CodeType] = {}

# filters that put a code in words, and the table in which they stand
WORDS = {"care_class": "class", "campaign_state": "campaign_state", "alert_kind": "alert_kind",
         "alert_state": "alert_state", "unwell": "unwell", "glass_reason": "glass_reason",
         "first_aid": "first_aid", "followed": "followed", "call_state": "call_state", "added": "added_kind",
         "told_rank": "told_rank", "group_kind": "group_kind", "group_anew": "group_anew",
         "change": "change", "proposal": "proposal", "life": "turned", "wish": "wish",
         "basis": "basis", "care": "care", "role": "role",
         **{space: space for space in ("outcome", "reached_by", "asked_for", "told_area", "wants", "device_state")},
         "cannot_reason": "cannot_reason", "topic": "topic", "field": "field", "category": "own_value"}


@cache
def sources(folder: Path = FOLDER) -> Mapping[str, str]:
    """Every template's text by key: `file.name`, or `table.name` for tables other than `[sentences]`. Read once."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.toml")):
        if path.stem in NOT_SENTENCES:
            continue
        for table, sentences in tomllib.loads(path.read_text(encoding="utf-8")).items():
            space = path.stem if table == "sentences" else table
            found |= {f"{space}.{name}": text.strip("\n") for name, text in sentences.items()}
    return MappingProxyType(found)


@cache
def _fixed() -> Mapping[str, str]:
    """The sentences in which nothing is filled in."""
    return MappingProxyType({key: text for key, text in sources().items() if "{" not in text})


def pseudonym(name: str) -> str:
    """Surname + 某: all that a group, or a channel abroad, is told of a name."""
    name = "".join(sign for sign in name if sign.isprintable())  # nor what turns the direction of a line
    surname = name[:2] if len(name) > 2 and name[:2] in _NAMES["double_surnames"] else name[:1]
    return f"{surname}{_NAMES['someone']}"


def visitor_kind(name: str) -> str:
    """The word for a kind of visitor; one that a county added is called by its own name."""
    return str(_KINDS.get(name, name))


class Words:
    """The sentences for one kind of channel; `abroad` ones give no full name of an elder."""

    def __init__(self, *, abroad: bool = False) -> None:
        environment = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)
        self._abroad = abroad
        self.named = pseudonym if abroad else str
        self._days: dict[str, str] = {}
        environment.filters |= {name: partial(self._word, space) for name, space in WORDS.items()}
        environment.filters |= {
            "named": self.named, "day": self.day, "full_day": self.full_day, "due": self._due, "place": self._place,
            "reasons": self._reasons, "whom": self._whom,
            "of_whom": lambda elder: (
                f"{self.named(elder['name'])} · {self._place(elder)}" if elder["name"] else self._whom("")),
            "names_listed": lambda names: self._list(map(self.named, names)),
            "reach": lambda reach: self.say("reach.card", {"reach": reach}),
            "offices": self._offices,
            "told_areas": lambda areas: self._list(self.say(f"told_area.{area}") for area in areas),
            "told_items": lambda items, area: self._list(items) or self.say(f"as_ever.{area}"),
            "told_call": lambda call: self.say("family.call", dict(call)),
            "asked_line": lambda asked: self.say("family.asked_line", dict(asked)),
            "plan_line": lambda plan: self.say("family.plan_line", dict(plan)),
            "private": (lambda text: self.say("values.private")) if abroad else str,
            "at_home": (lambda text: "") if abroad else str,  # what people wrote of an emergency stays in the country
            "beside": self._beside,
            "device_said": lambda said: self.say(f"device_said.{said['kind']}", dict(said)),
            "device_line": lambda one: self.say("devices.line", dict(one)),
            "duty_step": lambda step: self.say("ladder.duty_after" if step["after"] else "ladder.duty_now", dict(step)),
            "duty_role": lambda role, kind: visitor_kind(kind) if kind else self.say(
                f"care.{role}" if self.has(f"care.{role}") else f"role.{role}"),
            "by_place": lambda groups: self.say("reminders.by_place", {"groups": groups}),
            "reminded": lambda one: self.say("remind.one", one),
            "minutes": lambda minutes: self.say("hours.spent", {"minutes": minutes}),
            "afar_aid": lambda what: self.say(f"afar_aid.{what if self.has(f'afar_aid.{what}') else 'other'}"),
            "lasted": lambda minutes: self.say("alerts.lasted", {"minutes": minutes}),
            "rule_days": lambda days: self._list(self._day_of_year(day) for day in days),
            "kinds": lambda names: self._list(map(visitor_kind, names)),
            "visitor_kind": visitor_kind, "campaign": self._campaign,
            "campaigns": lambda names: self._list(map(self._campaign, names)), "tips": self._tips,
            "days": self._between,
            "channel": lambda name: self._known(f"channel.{name}", name),
            "audited": lambda line: self.audited(line["action"], line["fields"]), "fields": self._fields,
            "roles": lambda names: self._list(self.say(f"role.{name}") for name in names), "rule": self._rule,
            "rule_value": self._rule_value, "rule_values": lambda names: self._list(map(self._rule_value, names)),
        }
        self._environment = environment
        self._sources = sources()
        self._fixed = _fixed()
        self._templates: dict[str, Template] = {}

    def say(self, key: str, fields: dict[str, Any] | None = None) -> str:
        """The sentence of this key. A missing field raises jinja2's UndefinedError."""
        fixed = self._fixed.get(key)
        if fixed is not None:
            return fixed
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = self._template(self._sources[key])
        # the template's own `render` would copy the globals into each call's fields: nothing here uses them
        return "".join(template.root_render_func(template.new_context(fields or {}, shared=True)))

    def phrase(self, source: str, fields: dict[str, Any]) -> str:
        """A template that stands in an operator's file. Raises jinja2's errors."""
        template = self._templates.get(source)
        if template is None:
            template = self._templates[source] = self._template(source)
        return template.render(fields)

    def _template(self, source: str) -> Template:
        kind = self._abroad, source
        code = _COMPILED.get(kind)
        if code is None:
            code = _COMPILED[kind] = self._environment.compile(source)
        return Template.from_code(self._environment, code, self._environment.make_globals(None))

    def has(self, key: str) -> bool:
        """Whether there is a sentence of this key."""
        return key in self._sources

    def _word(self, space: str, name: str) -> str:
        return self.say(f"{space}.{name}")

    def keys(self) -> Iterable[str]:
        return self._sources.keys()

    def day(self, iso: str) -> str:
        """A date as it is said: 11月23日 周一."""
        said = self._days.get(iso)
        if said is None:
            if len(self._days) > 4000:
                self._days.clear()
            said = self._days[iso] = self._dated("values.day", iso)
        return said

    def full_day(self, iso: str) -> str:
        """A date with its year: 2026年11月23日 周一."""
        return self._dated("values.full_day", iso)

    def _dated(self, key: str, iso: str) -> str:
        day = date.fromisoformat(iso)
        weekday = self.say("values.weekdays").split()[day.weekday()]
        return self.say(key, {"year": day.year, "month": day.month, "day": day.day, "weekday": weekday})

    def _due(self, due: Mapping[str, str]) -> str:
        return self.say(f"due.{due['state']}", {"first": self.day(due["first"]), "last": self.day(due["last"])})

    def _reasons(self, reasons: Iterable[tuple[str, int | None]]) -> str:
        joiner = self.say("values.joiner")
        return joiner.join(self.say(f"reason.{word}", {"number": number}) for word, number in reasons)

    def audited(self, action: str, fields: Iterable[str]) -> str:
        """What somebody did, by the audit chain's word for it; the fields that have a word of their own are named."""
        key = f"audit_action.{action}"
        named = [f"audit_field.{field}" for field in fields]
        told = self.say("values.joiner").join(self.say(field) for field in named if field in self._sources)
        return self.say(key if key in self._sources else "audit_action.other", {"fields": told})

    def _rule(self, rule: Mapping[str, Any]) -> str:
        """A rule of the policy, with the clause that it stands in and who set it."""
        key = rule["key"]
        clause = self.say(f"clause.{key}") if self.has(f"clause.{key}") else ""
        return self.say("policy.line", {"said": self.say(f"rule.{key}", {"value": rule["value"]}), "clause": clause,
                                        "origin": self.say(f"origin.{rule['origin']}", {"place": rule["place"]})})

    def _rule_value(self, name: str) -> str:
        return self._known(f"rule_value.{name}", "") or self.say(f"own_value.{name}")

    def _day_of_year(self, day: str) -> str:
        month, _, number = day.partition("-")
        return self.say("values.day_of_year", {"month": int(month), "day": int(number)})

    def _fields(self, names: Iterable[str]) -> str:
        return self.say("values.joiner").join(self.say(f"field.{name}") for name in names)

    def _list(self, said: Iterable[str]) -> str:
        return self.say("values.joiner").join(said)

    def _offices(self, offices: Iterable[Mapping[str, Any]]) -> str:
        return self.say("values.joiner").join(self.say("binding.office", dict(office)) for office in offices)

    def _known(self, key: str, name: str) -> str:
        """The word for a name that a county or an operator may have added: where there is none, the name itself."""
        return self.say(key) if key in self._sources else name

    def _between(self, days: tuple[str, str]) -> str:
        """The first and the last of some days; one alone where they are the same."""
        first, last = (self.day(each) for each in days)
        return first if first == last else self.say("values.between", {"first": first, "last": last})

    def _campaign(self, name: str) -> str:
        """A campaign's name: that of a known kind in words, with the number behind it; else as somebody called it."""
        known, _, number = name.partition(" ")
        return self.say(f"campaign_name.{known}") + number if self.has(f"campaign_name.{known}") else name

    def _tips(self, advice: Iterable[str]) -> str:
        return "\n\n".join(self.say(f"tips.{each}") for each in advice)

    def _whom(self, name: str) -> str:
        """Whose alert it is; an empty name: nobody's who is on the ledger."""
        return self.named(name) if name else self.say("alerts.not_listed")

    def _beside(self, beside: Mapping[str, Any]) -> str:
        """What stands on an alert's card beside the alert: nothing, or paragraphs of their own."""
        said = (self.say(key, dict(beside)).strip("\n") for key in ("calling.numbers", "added.card"))
        return "".join(f"\n\n{each}" for each in said if each)

    def _place(self, elder: Mapping[str, Any]) -> str:
        return self.say("menu.place", dict(elder))
