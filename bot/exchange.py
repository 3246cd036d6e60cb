"""The jobs behind 导入 and 导出: looking a ledger through, writing it once it is confirmed, making one to take away.

Another body's list comes in by the same door: it is compared, and what is confirmed of it is taken over.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bot import area_tree, matching
from bot.aside import aside
from bot.channels.base import Channel, RetryAt, SendFailure
from bot.import_places import PlacesUnclear
from bot.jobs import Task
from bot.matching import Compared
from bot.sheets import KEY, Counts, Ledgers, Looked
from conversations.commands.exchange import holds
from conversations.documents import area_sheet, file_kind, match_workbook
from conversations.documents.area_sheet import Line
from conversations.documents.ledger_faults import explain_unreadable
from conversations.documents.ledger_file import Unreadable
from conversations.documents.ledger_found import Fault
from conversations.documents.match_workbook import Marked
from conversations.engine import Part
from conversations.message import Media
from conversations.turn import House
from conversations.words_book import Words
from scheduler.intake import ChangedMeanwhile
from storage import files, jobs, visits
from storage.areas import Area
from storage.database import Store, Tx
from storage.files import MOST_BYTES, File
from storage.scope import Scope
from storage.visits import Listed

PORTION = 500  # visits read at once
STARTS = (b"PK\x03\x04", bytes.fromhex("d0cf11e0a1b11ae1"))  # what an .xlsx and an .xls begin with
_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


class NotTheirs(Exception):
    """The asker does not coordinate this area any more."""


def is_spreadsheet(body: bytes) -> bool:
    """Whether the bytes may be a ledger, by how they begin; what they are called does not count."""
    return body.startswith(STARTS)


def safe_name(name: str) -> str:
    """A file's name without what no file may be called by."""
    return _UNSAFE.sub("", name)


class Exchange:
    """The handlers. Each asks again, in every unit of work, whether its asker still coordinates the area."""

    def __init__(self, store: Store, ledgers: Ledgers, channels: Mapping[str, Channel], house: House) -> None:
        self._store = store
        self._ledgers = ledgers
        self._channels = channels
        self._house = house
        self._words = Words()

    async def preview(self, task: Task) -> None:
        """Fetches the file, looks it through, and asks whether it shall be written."""
        try:
            area = await self._area(task)
            source = await self._fetched(task)
            if source is None:
                return
            match await aside(lambda: file_kind.kind(source.body)):
                case "list":
                    await self._compare(task, area, source)
                    return
                case "answers":
                    await self._answered(task, source)
                    return
                case "areas":
                    await self._areas(task, area, source)
                    return
            looked = await (await self._ledgers.open(source.body, area, task.person, task.now())).look()
        except SendFailure as error:
            if isinstance(error, RetryAt):
                raise
            await task.fail(("files.not_fetched", {"buttons": [[["files_button.by_page", {}, "/import web"]]]}))
        except (Unreadable, PlacesUnclear, NotTheirs) as error:
            await task.fail(_why(error))
        else:
            await task.end("asking" if _writes(looked.counts) else "done",
                           partial(self._previewed, task, area, looked), file=source.id, previewed=True,
                           digests=list(looked.digests))

    async def apply(self, task: Task) -> None:
        """Writes what was confirmed, chunk by chunk."""
        done, counts = _position(task.cursor)
        try:
            area = await self._area(task)
            source = await self._store.read(
                lambda tx: files.find(tx, task.person, task.job.fields["file"], task.now()))
            if source is None:
                await task.fail(("files.stale", {}))
                return
            ledger = await self._ledgers.open(source.body, area, task.person, task.now())
            async for lines, work in ledger.chunks(done, task.job.fields.get("digests", ())):
                counts = await task.step(partial(_chunk, task, area, work, counts), partial(_cursor, lines), KEY)
                await task.tell(("files.progress", {"done": lines, "total": ledger.total}))
            counts += Counts(faulty=ledger.faulty_lines())
            copy = await aside(ledger.faulty)
        except (Unreadable, PlacesUnclear, NotTheirs, ChangedMeanwhile) as error:
            await task.fail(_why(error))
        else:
            await task.end("done", lambda tx: self._with_file(tx, task, "faulty", area, copy, (
                "files.applied", {"area": area.name, **_numbers(counts)})))

    async def _compare(self, task: Task, area: Area, source: File) -> None:
        """Matches another body's list with the ledger, and shows where they differ."""
        compared = await matching.compare(self._store, source.body, area, self._scope(task))
        kept = await self._store.run(partial(_keep, task, area, compared))
        copy, count = await compared.workbook(kept), len(compared.by_button)
        asks: dict[str, Any] = {"buttons": [[
            ["match_button.all", {"count": count}, f"/import yes {task.job.id}"],
            ["match_button.none", {}, f"/import no {task.job.id}"]]]} if count else {}

        def say(tx: Tx) -> tuple[Part, ...]:
            check(tx, task, area)
            return self._with_file(tx, task, "match", area, copy, (
                "matching.compared", {"area": area.name, "days": matching.KEPT.days, **compared.fields, **asks}))

        await task.end("asking" if count else "done", say, match=kept)

    async def _answered(self, task: Task, source: File) -> None:
        """Takes the marks of differences that come back, and begins to take over what is marked."""
        marks = await aside(lambda: match_workbook.answers(source.body))

        def say(tx: Tx) -> tuple[Part, ...]:
            if len(marks) != 1:
                return (("matching.several" if marks else "matching.none_marked", {}),)
            (match, marked), = marks.items()
            compared = matching.kept(tx, task.person, match, task.now())
            if compared is None:
                return (("matching.stale", {"days": matching.KEPT.days}),)
            area = holds(tx, task.person, compared[0])
            if area is None:
                return (("files.no_more", {}),)
            tx.note(task.now(), task.person, "list.confirm", area.id)
            begun = jobs.add(tx, "match_apply", {
                "area": area.id, "match": match, "marked": [[mark.place, mark.told] for mark in marked]},
                task.now(), task.job.asker)
            return (("matching.taking", {"area": area.name, "count": len(marked), "buttons": [
                [["files_button.stop", {}, f"/stop {begun}"]]]}),)

        await task.end("done", say)

    async def take(self, task: Task) -> None:
        """Takes over what was confirmed of a list: the lines marked, or with one press all that may be so."""
        try:
            area = await self._area(task)
            kept = await self._store.read(
                lambda tx: matching.kept(tx, task.person, task.job.fields["match"], task.now()))
            if kept is None:
                await task.fail(("matching.stale", {"days": matching.KEPT.days}))
                return
            lines = kept[1]
            marked = [Marked(*each) for each in task.job.fields.get("marked", matching.by_button(lines))
                      if each[0] < len(lines)]
            for work in matching.chunks(lines, marked, task.cursor, self._scope(task), self._house.policies,
                                        task.now()):
                await task.step(partial(_checked, task, area, work), lambda became: task.cursor + became, KEY)
                await task.tell(("files.progress", {"done": len(task.cursor), "total": len(marked)}))
        except NotTheirs as error:
            await task.fail(_why(error))
            return
        counts, copy = matching.counts(task.cursor), await matching.left(lines, marked, task.cursor)
        said = {"taken": counts["taken"], "already": counts["already"], "changed": counts["changed"],
                "left": counts.total() - counts["taken"] - counts["already"]}
        await task.end("done", lambda tx: self._with_file(tx, task, "match_left", area, copy, (
            "matching.taken", {"area": area.name, **said})))

    async def _areas(self, task: Task, area: Area, source: File) -> None:
        """Shows what a list of areas would add."""
        lines, faults = await self._read_areas(source)
        grown = await self._store.read(lambda tx: area_tree.look(tx, area, lines))
        copy = await aside(lambda: area_sheet.write(grown.lines(), [*faults, *grown.faults], self._words))
        new, faulty = len(grown.new), len(faults) + len(grown.faults)
        asks: dict[str, Any] = {"buttons": _yes_no(task)} if new else {}
        await task.end("asking" if new else "done", lambda tx: self._with_file(
            tx, task, "areas", area, copy if new or faulty else None, (
                "area_tree.looked", {"area": area.name, "new": new, "there": grown.there, "faulty": faulty, **asks})),
            file=source.id, previewed=True, areas=True)

    async def add_areas(self, task: Task) -> None:
        """Adds the areas that were confirmed; none that is there is changed."""
        try:
            area = await self._area(task)
            source = await self._store.read(
                lambda tx: files.find(tx, task.person, task.job.fields["file"], task.now()))
            if source is None:
                await task.fail(("files.stale", {}))
                return
            lines, faults = await self._read_areas(source)
            while _grown(task)[0] < len(lines):
                await task.step(partial(_grow, task, area, lines), str, KEY)
        except NotTheirs as error:
            await task.fail(_why(error))
        else:
            _, new, faulty = _grown(task)
            await task.end("done", lambda tx: (("area_tree.added", {
                "area": area.name, "new": new, "faulty": faulty + len(faults)}),))

    async def _read_areas(self, source: File) -> tuple[list[Line], list[Fault]]:
        group = self._words.say("import.group", {"number": "{}"})
        found = await aside(lambda: area_sheet.read(source.body, group))
        return ([each for each in found if isinstance(each, Line)], [each for each in found if isinstance(each, Fault)])

    async def export(self, task: Task) -> None:
        """Makes the workbook, or the printed forms, that were asked for."""
        what, period = task.job.fields["what"], task.job.fields["period"]
        try:
            area = await self._area(task)
            if what == "visits":
                body, rows = await self._visits(task, area, period)
            elif what == "forms":
                body, rows = await self._ledgers.forms(area, task.person, task.now())
            else:
                body, rows = await self._ledgers.export(area, task.person, task.now())
        except NotTheirs as error:
            await task.fail(_why(error))
            return
        if not rows:
            await task.fail(("files.nothing_to_export", {"area": area.name}))
            return

        def say(tx: Tx) -> tuple[Part, ...]:
            check(tx, task, area)
            return self._with_file(tx, task, what, area, body, (
                "files.exported", {"area": area.name, "what": what, "rows": rows}))

        await task.end("done", say)

    async def _visits(self, task: Task, area: Area, period: str) -> tuple[bytes, int]:
        """The visits of a month (2026-03) or year (2026), read a portion at a time."""
        scope = self._scope(task)
        days = (f"{period}-01", f"{period}-31") if len(period) > 4 else (f"{period}-01-01", f"{period}-12-31")
        found: list[Listed] = []
        while True:
            after = found[-1].visit if found else None
            portion = await self._store.read(partial(visits.of_area, scope=scope, path=area.path, days=days,
                                                     after=after, count=PORTION))
            found += portion
            if len(portion) < PORTION:
                break
        from conversations.documents.visits_workbook import write  # late: openpyxl takes 0.2 s to import

        return await aside(lambda: write(found, self._house.book, self._words)), len(found)

    def _scope(self, task: Task) -> Scope:
        return Scope(task.person, task.now().astimezone(self._house.policy.zone).date())

    async def _area(self, task: Task) -> Area:
        return await self._store.read(lambda tx: check(tx, task, None))

    async def _fetched(self, task: Task) -> File | None:
        """The ledger, kept: a second look, after a kill, finds it there. None where the job has ended with that."""
        kept = task.cursor or task.job.fields.get("file", "")
        if kept:
            found = await self._store.read(lambda tx: files.find(tx, task.person, kept, task.now()))
            if found is None:
                await task.fail(("files.stale", {}))
            return found
        assert task.job.asker is not None
        channel = self._channels[task.job.asker.channel]
        body = await channel.fetch(Media("file", task.job.fields["ref"]))
        if len(body) > MOST_BYTES:
            await task.fail(("files.too_large", {"most": MOST_BYTES // 2**20}))
            return None
        if not is_spreadsheet(body):
            raise Unreadable("not_a_spreadsheet")
        await task.step(lambda tx: files.add(tx, "ledger", task.person, "", body, task.now()), str)
        return File(task.cursor, "ledger", "", body)

    def _previewed(self, task: Task, area: Area, looked: Looked, tx: Tx) -> tuple[Part, ...]:
        said = {"area": area.name, **_numbers(looked.counts), "attached": looked.shows if looked.copy else ""}
        asks = _yes_no(task) if _writes(looked.counts) else []
        return self._with_file(tx, task, looked.shows, area, looked.copy, (
            "files.preview", {**said, **({"buttons": asks} if asks else {})}))

    def _with_file(self, tx: Tx, task: Task, kind: str, area: Area, body: bytes | None, part: Part,
                   ) -> tuple[Part, ...]:
        """What is said, with the file where there is one."""
        if body is None:
            return (part,)
        name = safe_name(self._words.say(f"files_name.{kind}", {"area": area.name}))
        file = files.add(tx, kind, task.person, name, body, task.now())
        return ((part[0], {**part[1], "document": {"kind": "file", "file": file}}),)


def _chunk(task: Task, area: Area, work: Callable[[Tx], Counts], before: Counts, tx: Tx) -> Counts:
    check(tx, task, area)
    return before + work(tx)


def _yes_no(task: Task) -> list[list[list[object]]]:
    return [[["files_button.yes", {}, f"/import yes {task.job.id}"],
             ["files_button.no", {}, f"/import no {task.job.id}"]]]


def _keep(task: Task, area: Area, compared: Compared, tx: Tx) -> str:
    return compared.keep(tx, check(tx, task, area), task.person, task.now())


def _grown(task: Task) -> tuple[int, int, int]:
    """How many lines are done, areas new, and lines faulty."""
    done, new, faulty = map(int, (task.cursor or "0 0 0").split())
    return done, new, faulty


def _grow(task: Task, area: Area, lines: list[Line], tx: Tx) -> str:
    """Adds the areas of the next lines; gives where that leaves the job."""
    done, new, faulty = _grown(task)
    chunk = lines[done:done + area_tree.CHUNK]
    grown = area_tree.grow(tx, check(tx, task, area), chunk, task.person, task.now())
    return f"{done + len(chunk)} {new + len(grown.new)} {faulty + len(grown.faults)}"


def _checked(task: Task, area: Area, work: Callable[[Tx], str], tx: Tx) -> str:
    check(tx, task, area)
    return work(tx)


def _why(error: Exception) -> Part:
    if isinstance(error, Unreadable):
        return ("files.not_a_ledger", {"why": explain_unreadable(error)})
    if isinstance(error, ChangedMeanwhile):
        return ("difference.changed_meanwhile", {})
    return ("files.unplaced" if isinstance(error, PlacesUnclear) else "files.no_more", {})


def check(tx: Tx, task: Task, area: Area | None) -> Area:
    """The area of the job, as long as its asker coordinates it. Raises NotTheirs."""
    found = holds(tx, task.person, area.id if area else task.job.fields["area"])
    if found is None:
        raise NotTheirs
    return found


def _writes(counts: Counts) -> bool:
    return bool(counts.new or counts.changed)


def _numbers(counts: Counts) -> dict[str, int]:
    return {"new": counts.new, "changed": counts.changed, "same": counts.same, "faulty": counts.faulty,
            "left": counts.left}


def _cursor(lines: int, counts: Counts) -> str:
    """Lines done, and what became of them: numbers only."""
    return f"{lines} {counts.new} {counts.changed} {counts.same} {counts.faulty} {counts.left}"


def _position(cursor: str) -> tuple[int, Counts]:
    lines, *counts = map(int, cursor.split()) if cursor else (0, 0, 0, 0, 0, 0)
    return lines, Counts(*counts)
