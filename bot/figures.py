"""The job behind 月报 and 季报: counts an area village by village, a portion of files at a time, and tells it."""

from datetime import date, timedelta

from bot.aside import aside
from bot.exchange import NotTheirs, check, safe_name
from bot.jobs import Task
from conversations import figures as told
from conversations.engine import Part
from conversations.turn import House
from conversations.words_book import Words
from scheduler import freezing
from scheduler.figures import Month, Numbers
from scheduler.reporting import BEFORE, Line, Report
from storage import area_counts, areas, files
from storage import figures as kept
from storage.areas import Area
from storage.database import Store, Tx
from storage.scope import Scope

PORTION = 200  # files in one read
Lines = dict[tuple[Month, str], Line]  # of one village, by month and class


class Figures:
    """The handler. It asks again, in every read, whether its asker still coordinates the area."""

    def __init__(self, store: Store, house: House) -> None:
        self._store = store
        self._house = house
        self._words = Words()

    async def report(self, task: Task) -> None:
        """Counts what was asked for, and says it or makes a workbook of it."""
        months = tuple(map(Month.read, task.job.fields["months"]))
        now = task.now()
        today = self._house.today(now)
        try:
            report = await self._store.read(lambda tx: self._begun(tx, task, months, today))
            villages = [area for area in report.tree if area.level == "village"]
            for done, village in enumerate(villages):
                await self._village(task, report, village)
                await task.tell(("figures.progress", {"done": done + 1, "total": len(villages)}))
        except NotTheirs:
            await task.fail(("figures.no_area", {"buttons": [[["button.figures", {}, "/month"]]]}))
            return
        if report.empty:
            await task.end("done", lambda tx: (("figures.nothing", {
                "area": report.area.name, "buttons": [[["button.figures", {}, "/month"]]]}),))
        elif task.job.fields["shows"] == "xlsx":
            await self._workbook(task, report, today)
        else:
            say = told.by_area if task.job.fields["shows"] == "below" and report.below else told.told
            part = say(report, today, self._cut_off_days)
            await task.end("done", lambda tx: (part,))

    @property
    def _cut_off_days(self) -> int:
        return self._house.policy.figures_cut_off_days

    def _begun(self, tx: Tx, task: Task, months: tuple[Month, ...], today: date) -> Report:
        """The report with its area and months, as yet without numbers but those of earlier months."""
        area = check(tx, task, None)
        tree = tuple(each for each in areas.under(tx, area) if each.level != "group")
        frozen = freezing.frozen_months(tx, self._house.policies)
        shown = tuple(month for month in months if month.first <= today)
        earlier = tuple(month for month in frozen if months[0].plus(-BEFORE) <= month < months[0])
        report = Report(area, tree, shown, earlier if len(months) == 1 else (), frozenset(frozen))
        for visitors in area_counts.visitors(tx, Scope(task.person, today), area.path):
            report.add_forces(*visitors)
        by_id = {each.id: each for each in tree}
        for month in report.earlier:
            for each in kept.frozen(tx, area.path, str(month)):
                report.add(by_id[each.area_id], month, each.care_class, Line(Numbers(**each.numbers)))
        return report

    async def _village(self, task: Task, report: Report, village: Area) -> None:
        """Adds what was frozen of a village and what it is now."""
        now = task.now()
        scope = Scope(task.person, self._house.today(now))
        entered = now + timedelta(milliseconds=1)  # all that is there
        found: Lines = {}

        def begin(tx: Tx) -> None:
            check(tx, task, report.area)
            report.add_gaps(village, area_counts.gaps(tx, scope, village.id))
            for month in report.months:
                for each in kept.frozen(tx, village.path, str(month)) if month in report.frozen else ():
                    _add(found, month, each.care_class, Line(Numbers(**each.numbers)))

        await self._store.read(begin)
        after: str | None = ""
        while after is not None:
            portion = await self._store.read(lambda tx, after=after: freezing.portion(  # type: ignore[misc]
                tx, village.id, report.months, entered, after, self._house.policies, PORTION))
            for each in portion.counted:
                frozen = each.month in report.frozen
                _add(found, each.month, each.care_class, Line(
                    Numbers() if frozen else each.numbers, each.numbers, each.later if frozen else 0))
            after = portion.last
        for (month, care_class), line in found.items():
            report.add(village, month, care_class, line)

    async def _workbook(self, task: Task, report: Report, today: date) -> None:
        from conversations.documents.figures_workbook import write  # late: openpyxl takes 0.2 s to import

        body = await aside(lambda: write(report, today, self._cut_off_days, self._words))
        head = told.head(report)

        def say(tx: Tx) -> tuple[Part, ...]:
            check(tx, task, report.area)
            name = safe_name(self._words.say("figures.file_name", head))
            file = files.add(tx, "figures", task.person, name, body, task.now())
            return (("figures.file", {**head, "document": {"kind": "file", "file": file}}),)

        await task.end("done", say)


def _add(to: Lines, month: Month, care_class: str, line: Line) -> None:
    to[month, care_class] = to.get((month, care_class), Line()) + line
