"""The figures of an area in one month or in the three of a quarter, with all that lies in it, in the order of the tree.

Nothing here is sorted by how well anybody does: areas are not ranked (国办函〔2026〕12号).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from scheduler.figures import CLASSES, NONE, Month, Numbers
from storage.area_counts import Gaps
from storage.areas import Area

BEFORE = 5  # months that are shown before the one that is asked for


@dataclass(frozen=True, slots=True)
class Line:
    """Of a place and class: the numbers as they were frozen (as they are, where they are not yet), and as they are.

    `later`: visits of those months that were entered after the cut-off (补录).
    """

    numbers: Numbers = NONE
    now: Numbers = NONE
    later: int = 0

    def __add__(self, other: "Line") -> "Line":
        return Line(self.numbers + other.numbers, self.now + other.now, self.later + other.later)


@dataclass(frozen=True)
class Report:
    """What is told of an area. `tree`: it and all that lies in it down to the villages, parents first.

    `months` were asked for, `earlier` stand beside them as they were frozen; `frozen` says which of all these are.
    """

    area: Area
    tree: tuple[Area, ...]
    months: tuple[Month, ...]
    earlier: tuple[Month, ...] = ()
    frozen: frozenset[Month] = frozenset()
    _lines: dict[tuple[Month, str, str], Line] = field(default_factory=dict)
    _gaps: dict[str, Gaps] = field(default_factory=dict)
    _forces: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, village: Area, month: Month, care_class: str, line: Line) -> None:
        """Adds to the village and to every area that it lies in."""
        for area_id in _line(village.path):
            key = (month, area_id, care_class)
            self._lines[key] = self._lines.get(key, Line()) + line

    def add_gaps(self, village: Area, gaps: Gaps) -> None:
        """Adds to the village and to every area that it lies in."""
        for area_id in _line(village.path):
            self._gaps[area_id] = self._gaps.get(area_id, Gaps()) + gaps

    def add_forces(self, path: str, kind: str, count: int) -> None:
        """Adds visitors of a kind to the area of this path and to every one that it lies in."""
        for area_id in _line(path):
            of_area = self._forces.setdefault(area_id, {})
            of_area[kind] = of_area.get(kind, 0) + count

    def line(self, area: Area, months: Iterable[Month], care_class: str = "") -> Line:
        """An area's line over these months together; of both classes where none is named."""
        return sum((self._lines.get((month, area.id, each), Line()) for month in months
                    for each in ((care_class,) if care_class else CLASSES)), Line())

    def gaps(self, area: Area) -> Gaps:
        return self._gaps.get(area.id, Gaps())

    def forces(self, area: Area) -> dict[str, int]:
        """How many visit elders in an area, by kind (队伍建设)."""
        return dict(sorted(self._forces.get(area.id, {}).items()))

    @property
    def below(self) -> tuple[Area, ...]:
        """The areas of the next level down."""
        return tuple(each for each in self.tree if each.parent_id == self.area.id)

    @property
    def empty(self) -> bool:
        return not any(self.line(self.area, (month,)) != Line() for month in self.months)


def _line(path: str) -> list[str]:
    """The ids of the areas from the top down to this one."""
    return path.split("/")[:-1]
