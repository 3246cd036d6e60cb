"""Who is due: elders whose window is open and who were not seen yet, by urgency and by place.

Urgency: overdue first, priority class, days left, last seen, open needs, open hazards. The elders of one group stand
together where the most urgent of them stands, so that one walk does several.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, and_, bindparam, case, cast, func, or_, select
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause
from sqlalchemy.types import Text

from storage.database import Tx
from storage.leaves import away
from storage.postponements import said
from storage.scope import HELD_HERE, Scope, within
from storage.tables import areas, assignments, elders, people

# not "is active": SQLite would begin with the index of all those who are
_DUE = and_(elders.c.status != "paused", elders.c.status != "closed", elders.c.wish != "unwilling",
            elders.c.remind_on.is_not(None), elders.c.due_from <= bindparam("scope_day"))
_OVERDUE = elders.c.due_until < bindparam("scope_day")


def _few(column: ColumnElement[int]) -> ColumnElement[str]:
    """A digit that is the less the more there are."""
    return cast(case((column > 9, 0), else_=9 - column), Text)


_URGENCY = (
    case((_OVERDUE, "0"), else_="1") + case((elders.c.care_class == "priority", "0"), else_="1") + elders.c.due_until
    + func.coalesce(elders.c.last_home_on, "0000-00-00") + _few(elders.c.open_needs) + _few(elders.c.open_hazards))


def _entrusted(alias: str, *roles: str) -> Select[tuple[str]]:
    care = assignments.alias(alias)
    return select(care.c.elder_id).where(
        care.c.person_id == bindparam("scope_person"), or_(*[care.c.role == role for role in roles]),
        care.c.from_on <= bindparam("scope_day"),
        or_(care.c.until_on.is_(None), care.c.until_on >= bindparam("scope_day")))


def _with(alias: str, role: str) -> ColumnElement[bool]:
    statement = _entrusted(alias, role)
    care = statement.selected_columns.elder_id
    return statement.where(care == elders.c.id).exists()


_COLUMNS = select(
    elders.c.id, elders.c.name, elders.c.number, areas.c.name.label("village"), elders.c.group_name,
    elders.c.village_id, elders.c.due_until, elders.c.care_class, elders.c.last_home_on, elders.c.open_needs,
    elders.c.open_hazards, _with("as_visitor", "visitor").label("as_visitor"),
    _with("as_stand_in", "stand_in").label("as_stand_in"), _with("as_contact", "first_contact").label("as_contact"),
    _URGENCY.label("urgency"),
).select_from(elders.join(areas, areas.c.id == elders.c.village_id))


def _by_place(found: FromClause) -> Select[tuple[object, ...]]:
    """By the most urgent of each group, then the group's others: the first ones. Only lists begin further on, for a
    statement with an OFFSET is planned by PostgreSQL at each execution, which takes ten times as long as this one.
    """
    columns = found.c
    return select(*(column for column in columns if column.name != "urgency")).order_by(
        func.min(columns.urgency).over(partition_by=(columns.village_id, columns.group_name)),
        columns.village_id, columns.group_name, columns.urgency, columns.id,
    ).limit(bindparam("count"))


_IN_SCOPE = _by_place(within(_COLUMNS.where(_DUE)).subquery("found")).offset(bindparam("skip"))
_LATE_IN_SCOPE = _by_place(within(_COLUMNS.where(_DUE, _OVERDUE)).subquery("found")).offset(bindparam("skip"))
_COUNT = select(func.count()).select_from(within(select(elders.c.id).where(_DUE)).subquery())
_LATE_COUNT = select(func.count()).select_from(within(select(elders.c.id).where(_DUE, _OVERDUE)).subquery())
_said = said(bindparam("scope_person"), elders.c.id)
_OWN = _by_place(_COLUMNS.where(
    _DUE, _said <= bindparam("scope_day"), or_(
        _said == bindparam("scope_day"),
        and_(elders.c.due_until <= bindparam("until"), elders.c.id.in_(_entrusted("going", "visitor", "stand_in"))),
        and_(elders.c.due_until <= bindparam("contact_until"),
             elders.c.id.in_(_entrusted("answering", "first_contact")))),
    elders.c.id.in_(_entrusted("at_all", "visitor", "stand_in", "first_contact")),
    or_(bindparam("village") == "", elders.c.village_id == bindparam("village"))).subquery("found"))

_going, _goes = assignments.alias("of_others"), people.alias("goes")
# nobody in office and not on leave goes to see him
_NOBODY = ~select(_going.c.elder_id).select_from(_going.join(_goes, _goes.c.id == _going.c.person_id)).where(
    _going.c.elder_id == elders.c.id, or_(_going.c.role == "visitor", _going.c.role == "stand_in"),
    _going.c.from_on <= bindparam("scope_day"),
    or_(_going.c.until_on.is_(None), _going.c.until_on >= bindparam("scope_day")), _goes.c.status == "active",
    ~away(_goes.c.id, "scope_day")).exists()


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


_BY_VILLAGE = select(
    areas.c.id, areas.c.name, _sum(elders.c.due_until <= bindparam("village_until")),
    _sum(elders.c.due_until <= bindparam("township_until")),
).select_from(elders.join(areas, areas.c.id == elders.c.village_id)).where(
    HELD_HERE, _DUE, elders.c.due_until <= bindparam("village_until"),
).group_by(areas.c.id, areas.c.name, areas.c.path).order_by(areas.c.path)
_OF_VILLAGE = _by_place(_COLUMNS.where(
    HELD_HERE, _DUE, elders.c.village_id == bindparam("village"),
    elders.c.due_until <= bindparam("until")).subquery("found"))
_ALONE = _by_place(_COLUMNS.where(
    HELD_HERE, _DUE, elders.c.due_until > bindparam("after"), elders.c.due_until <= bindparam("until"),
    _NOBODY).subquery("found"))
_goer, _who = assignments.alias("goer"), people.alias("who")
_GOERS = select(_who.c.id, _who.c.name, func.count(elders.c.id.distinct())).select_from(
    elders.join(_goer, _goer.c.elder_id == elders.c.id).join(_who, _who.c.id == _goer.c.person_id)).where(
    HELD_HERE, _DUE, or_(_goer.c.role == "visitor", _goer.c.role == "stand_in"),
    _goer.c.from_on <= bindparam("scope_day"),
    or_(_goer.c.until_on.is_(None), _goer.c.until_on >= bindparam("scope_day")), _who.c.status == "active",
    ~away(_who.c.id, "scope_day")).group_by(_who.c.id, _who.c.name).order_by(_who.c.name, _who.c.id)
_GOERS_OF = _GOERS.where(elders.c.id == bindparam("elder"))
_GOERS_IN = _GOERS.where(elders.c.village_id == bindparam("village"))


@dataclass(frozen=True, slots=True)
class Waiting:
    """An elder who is due, with what he is told apart by; days are ISO."""

    id: str
    name: str
    number: int
    village: str
    group_name: str
    village_id: str
    due_until: str
    care_class: str
    last_home_on: str | None
    open_needs: int
    open_hazards: int
    as_visitor: bool  # the scope's person visits him
    as_stand_in: bool  # or stands in for who does
    as_contact: bool  # or is first contact

    def left(self, day: date) -> int:
        """Days that are left; less than none where he is overdue."""
        return (date.fromisoformat(self.due_until) - day).days


@dataclass(frozen=True, slots=True)
class Village:
    """How many of a village are due by the village's rung, and how many by the township's."""

    id: str
    name: str
    overdue: int
    late: int


@dataclass(frozen=True, slots=True)
class Goer:
    """Somebody in office and not on leave who visits or stands in, and for how many of those who are due."""

    person_id: str
    name: str
    count: int


def page(tx: Tx, scope: Scope, count: int, skip: int = 0, *, overdue: bool = False) -> list[Waiting]:
    """Those of the scope who are due now, or only those overdue."""
    return [Waiting(*row) for row in tx.all(
        _LATE_IN_SCOPE if overdue else _IN_SCOPE, count=count, skip=skip, **scope.values)]


def count(tx: Tx, scope: Scope, *, overdue: bool = False) -> int:
    row = tx.one(_LATE_COUNT if overdue else _COUNT, **scope.values)
    return int(row[0]) if row else 0


def own(tx: Tx, scope: Scope, until: str, contact_until: str, count: int, village_id: str = "") -> list[Waiting]:
    """Whom the scope's person is reminded of: windows that end by `until` where he visits or stands in, by
    `contact_until` where he is first contact, but for those he put off; and whom he said that he sees on this day. In
    one village where it is given.
    """
    return [Waiting(*row) for row in tx.all(
        _OWN, until=until, contact_until=contact_until, village=village_id, count=count, **scope.values)]


def by_village(tx: Tx, scope: Scope, village_until: str, township_until: str) -> list[Village]:
    """The villages that the scope's person coordinates where a window ended by the village's day (the later one)."""
    return [Village(*row) for row in tx.all(
        _BY_VILLAGE, village_until=village_until, township_until=township_until, **scope.values)]


def of_village(tx: Tx, scope: Scope, village_id: str, until: str, count: int) -> list[Waiting]:
    """Of a village that the scope's person coordinates those whose window ended by a day."""
    return [Waiting(*row) for row in tx.all(
        _OF_VILLAGE, village=village_id, until=until, count=count, **scope.values)]


def alone(tx: Tx, scope: Scope, after: str, until: str, count: int) -> list[Waiting]:
    """Those where the scope's person coordinates to whom nobody goes, in office and not on leave, and whose window ends
    after one day and by another.
    """
    return [Waiting(*row) for row in tx.all(_ALONE, after=after, until=until, count=count, **scope.values)]


def goers(tx: Tx, scope: Scope, *, elder_id: str = "", village_id: str = "") -> list[Goer]:
    """Who goes to this elder, or to the elders of this village, where they are due and the scope's person coordinates.
    """
    if elder_id:
        return [Goer(*row) for row in tx.all(_GOERS_OF, elder=elder_id, **scope.values)]
    return [Goer(*row) for row in tx.all(_GOERS_IN, village=village_id, **scope.values)]
