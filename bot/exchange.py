"""The jobs behind 导入 and 导出: looking a ledger through, writing it once it is confirmed, making one to take away."""

import re
from collections.abc import Callable, Mapping
from functools import partial

from bot.aside import aside
from bot.channels.base import Channel, RetryAt, SendFailure
from bot.import_places import PlacesUnclear
from bot.jobs import Task
from bot.sheets import KEY, Counts, Looked, Sheets
from conversations.commands.exchange import holds
from conversations.documents.ledger_file import Unreadable
from conversations.documents.ledger_report import explain_unreadable
from conversations.engine import Part
from conversations.message import Media
from conversations.turn import House
from conversations.words_book import Words
from scheduler.intake import ChangedMeanwhile
from storage import files, visits
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

    def __init__(self, store: Store, sheets: Sheets, channels: Mapping[str, Channel], house: House) -> None:
        self._store = store
        self._sheets = sheets
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
            looked = await self._sheets.preview(source.body, area, task.person, task.now())
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
            ledger = await self._sheets.apply(
                source.body, area, task.person, task.now(), task.job.fields.get("digests", ()))
            for lines, work in ledger.chunks(done):
                counts = await task.step(partial(_chunk, task, area, work, counts), partial(_cursor, lines), KEY)
                await task.tell(("files.progress", {"done": lines, "total": ledger.total}))
            counts += Counts(faulty=ledger.faulty_lines())
            copy = await aside(ledger.faulty)
        except (Unreadable, PlacesUnclear, NotTheirs, ChangedMeanwhile) as error:
            await task.fail(_why(error))
        else:
            await task.end("done", lambda tx: self._with_file(tx, task, "faulty", area, copy, (
                "files.applied", {"area": area.name, **_numbers(counts)})))

    async def export(self, task: Task) -> None:
        """Makes the workbook that was asked for."""
        what, period = task.job.fields["what"], task.job.fields["period"]
        try:
            area = await self._area(task)
            if what == "visits":
                body, rows = await self._visits(task, area, period)
            else:
                body, rows = await self._sheets.export(area, task.person, task.now())
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
        scope = Scope(task.person, task.now().astimezone(self._house.policy.zone).date())
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
        asks = [[["files_button.yes", {}, f"/import yes {task.job.id}"],
                 ["files_button.no", {}, f"/import no {task.job.id}"]]] if _writes(looked.counts) else []
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
