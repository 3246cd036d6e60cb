"""What a command or a form is given in one unit of work: who asks, when, and the means to answer."""

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from conversations import permissions
from conversations.book import FormBook
from conversations.draft_cache import DraftCache
from conversations.message import Inbound
from scheduler import casework, visitor_kinds
from scheduler.cadence import Window
from scheduler.policy import Policies, Policy
from scheduler.visitor_kinds import VisitorKind
from storage import elders, people
from storage.accounts import Writer
from storage.database import Tx
from storage.elders import Elder
from storage.people import Person
from storage.scope import Scope
from storage.visits import Visit


@dataclass(frozen=True)
class House:
    """What stays the same from turn to turn: the forms, the policies, and how files come to people.

    `no_files` are the channels that carry or take none, `abroad` those on which no ledger may go: there a page in the
    browser takes its place, under the address `public`.
    """

    book: FormBook
    policies: Policies
    drafts: DraftCache = field(default_factory=DraftCache)
    no_files: frozenset[str] = frozenset()
    abroad: frozenset[str] = frozenset()  # channels outside the country: no secret question is asked or shown there
    public: str = ""
    wecom: str = ""  # the address of WeCom's API, where that is set up
    links: dict[str, str] = field(default_factory=dict)  # by channel, what an invitation's token is put behind

    def by_page(self, channel: str) -> bool:
        """Whether a ledger comes and goes by a page in the browser for those who write there."""
        return channel in self.no_files or channel in self.abroad

    def today(self, now: datetime) -> date:
        """The date on the wall where the elders live."""
        return now.astimezone(self.policy.zone).date()

    @property
    def policy(self) -> Policy:
        """The city's rules: for the time zone, and where no elder is meant."""
        return self.policies.city


@dataclass
class Ask:
    """One person's one message, inside its unit of work."""

    house: House
    tx: Tx
    inbound: Inbound
    writer: Writer
    now: datetime

    @cached_property
    def today(self) -> date:
        """The date on the wall where the elders live."""
        return self.house.today(self.now)

    @property
    def abroad(self) -> bool:
        """Whether this message came over a channel abroad."""
        return self.inbound.channel in self.house.abroad

    @cached_property
    def roles(self) -> frozenset[str]:
        return people.roles(self.tx, self.writer.person_id)

    @cached_property
    def person(self) -> Person:
        """Who asks, as he is kept."""
        found = people.find(self.tx, self.writer.person_id)
        assert found is not None  # an account belongs to a person
        return found

    @cached_property
    def kind(self) -> VisitorKind | None:
        """The kind of visitor that who asks is, as the policy of his area has it; None: he is no visitor."""
        return self.kind_of(self.person, self.roles)

    def kind_of(self, person: Person, roles: frozenset[str]) -> VisitorKind | None:
        """The kind of visitor that somebody with these roles is."""
        return visitor_kinds.of(self.policy(person.area_id).visitor_kinds, person.visitor_kind,
                                visitor="visitor" in roles)

    def may(self, command: str) -> bool:
        """Whether the person may use the command: by his roles and his kind."""
        return permissions.may(self.roles, command, self.kind if command in permissions.BY_KIND else None)

    @cached_property
    def scope(self) -> Scope:
        return Scope(self.writer.person_id, self.today)

    def policy(self, area_id: str) -> Policy:
        """The rules that hold in this village."""
        return self.house.policies.of(self.tx, area_id)

    def note(self, action: str, subject: str, fields: tuple[str, ...] = ()) -> None:
        """A line on the audit chain in this person's name."""
        self.tx.note(self.now, self.writer.person_id, action, subject, fields)

    def may_correct(self, visit: Visit) -> bool:
        """Everybody may correct his own visits, a coordinator those in the area that he coordinates."""
        return visit.visitor_id == self.writer.person_id or elders.held(self.tx, self.scope, visit.elder_id)

    def due(self, elder: Elder) -> dict[str, str]:
        """The elder's due window with its state today, as words want it."""
        window = Window(date.fromisoformat(elder.due_from), date.fromisoformat(elder.due_until))
        state = window.state(self.today, self.policy(elder.village_id))
        return {"state": state, "first": elder.due_from, "last": elder.due_until}

    def reasons(self, elder: Elder) -> list[tuple[str, int | None]]:
        """Why the elder is in his class today (C8)."""
        found = casework.classified(elder, self.policy(elder.village_id), self.now).reasons
        return [(reason.word, reason.number) for reason in found]


def label(elder: Elder) -> dict[str, Any]:
    """What an elder is told apart by in a list."""
    return {"name": elder.name, "village": elder.village, "group": elder.group_name, "number": elder.number}
