"""导入, 导出: ledgers come in as spreadsheets and go out as such; the work itself is a durable job."""

import re
from datetime import date, datetime, timedelta

from conversations import pages
from conversations.engine import Part
from conversations.message import Inbound
from conversations.permissions import COORDINATING
from conversations.turn import Ask
from storage import areas, jobs, people
from storage.areas import Area
from storage.database import Tx
from storage.files import MOST_BYTES
from storage.jobs import Asker

Buttons = list[list[list[object]]]
PAGE = 20  # areas in one list
MATCH_DAYS = 14  # as long as the differences between a list and the ledger can be answered
PERIOD = re.compile(r"20\d\d(-(0[1-9]|1[0-2]))?")  # a month or a year
WEB = ("web", "网页")
WHAT = {"台账": "ledger", "探访记录": "visits", "登记表": "forms"}
WHOLE = ("id_number", "phone", "facts")
READ = {"ledger": WHOLE, "visits": ("answers",), "forms": WHOLE}  # what the audit chain says was read
ALL = "all"


def held(tx: Tx, person_id: str) -> list[Area]:
    """The areas for which this person may bring ledgers in and take them out; none lies in another of them."""
    found = [area for post in people.posts_of(tx, person_id) if post.role in COORDINATING
             and (area := areas.find(tx, post.area_id))]
    return [area for area in found if not any(
        area.path.startswith(other.path) and area.id != other.id for other in found)]


def holds(tx: Tx, person_id: str, area_id: str) -> Area | None:
    """The area, where this person coordinates it: asked before every chunk that is written or read for him."""
    person, area = people.find(tx, person_id), areas.find(tx, area_id)
    if person is None or person.status != "active" or area is None:
        return None
    return area if any(area.path.startswith(top.path) for top in held(tx, person_id)) else None


# In


def has_file(inbound: Inbound) -> bool:
    return any(each.kind == "file" for each in inbound.media)


def received(ask: Ask) -> tuple[Part, ...]:
    """A file sent outside a form by somebody who may import: it is fetched and looked through, nothing else."""
    file, *others = ask.inbound.media
    if others:
        return (("files.one_at_a_time", {}),)
    if file.size > MOST_BYTES:
        return (("files.too_large", {"most": MOST_BYTES // 2**20}),)
    abroad: tuple[Part, ...] = (("files.abroad_sent", {}),) if ask.inbound.channel in ask.house.abroad else ()
    return (*abroad, *look_through(ask.tx, asker_of(ask), {"ref": file.ref}, ask.now))


def look_through(tx: Tx, asker: Asker, source: dict[str, str], now: datetime) -> tuple[Part, ...]:
    """Starts looking through a ledger (`ref` of a channel, or a kept `file`); gives what is to be said of it.

    Where its sender coordinates several areas, he is asked for which it is.
    """
    tops = held(tx, asker.person_id)
    if len(tops) == 1:
        job = jobs.add(tx, "import", {**source, "area": tops[0].id}, now, asker)
        return (("files.looking", {"area": tops[0].name, "buttons": [stop_button(job)]}),) if job else busy(tx, asker)
    job = jobs.add(tx, "import", source, now, asker, "asking")
    if job is None:
        return busy(tx, asker)
    buttons = [[["files_button.area", {"name": area.name}, f"/import in {job} {area.id}"]] for area in tops]
    return (("files.which_area", {"buttons": [*buttons, [["files_button.no", {}, f"/import no {job}"]]]}),)


def import_(ask: Ask, rest: str) -> tuple[Part, ...]:
    """How a ledger comes in; or the answer to what a job asks: `yes`, `no`, `in` an area."""
    word, _, more = rest.partition(" ")
    if word in ("yes", "no", "in"):
        job_id, _, area_id = more.partition(" ")
        job = jobs.find(ask.tx, ask.writer.person_id, job_id)
        if job is None or job.kind != "import" or job.state != "asking":
            return (("files.answered", {}),)
        return _answered(ask, job, word, area_id)
    if word in WEB or ask.house.by_page(ask.inbound.channel):
        abroad: tuple[Part, ...] = (("files.abroad", {}),) if ask.inbound.channel in ask.house.abroad else ()
        return (*abroad, *pages.offer(ask.tx, ask.house.public, "upload", ask.writer.person_id, ask.now))
    return (("files.how", {"most": MOST_BYTES // 2**20, "buttons": [_by_page()]}),)


def _answered(ask: Ask, job: jobs.Job, word: str, area_id: str) -> tuple[Part, ...]:
    of_list = bool(job.fields.get("match"))
    if word == "no":
        jobs.answer(ask.tx, job, "cancelled", ask.now)
        return (("matching.dropped", {"days": MATCH_DAYS}),) if of_list else (("files.dropped", {}),)
    area = holds(ask.tx, ask.writer.person_id, area_id if word == "in" else str(job.fields.get("area", "")))
    if area is None:
        return (("menu.not_allowed", {}),)
    if (word == "in") == (of_list or "previewed" in job.fields):  # an area for what was seen, a yes for what was not
        return (("files.answered", {}),)
    jobs.answer(ask.tx, job, "done", ask.now)
    if word == "yes":
        ask.note("list.confirm" if of_list else "import.confirm", area.id)
    what = "match" if of_list else "areas" if "areas" in job.fields else "import"
    kind = "import" if word == "in" else f"{what}_apply"
    begun = jobs.add(ask.tx, kind, {**job.fields, "area": area.id}, ask.now, asker_of(ask))
    if begun is None:
        return busy(ask.tx, asker_of(ask))
    said = "files.looking" if word == "in" else {
        "match": "matching.taking_all", "areas": "area_tree.adding", "import": "files.applying"}[what]
    return ((said, {"area": area.name, "buttons": [stop_button(begun)]}),)


# Out


def export(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Asks what, of which area and, for visits, of which time; then starts making the file."""
    said = rest.split()
    what = WHAT.get(said[0], said[0]) if said else ""
    if what not in READ:
        return (("files.export_what", {"buttons": [[[f"files_button.export_{each}", {}, f"/export {each}"]]
                                                   for each in READ]}),)
    area_id, chosen = (*said[1:3], "", "")[:2]
    tops = held(ask.tx, ask.writer.person_id)
    if not area_id and len(tops) > 1:
        return (("files.export_where", {"buttons": _areas(what, tops)}),)
    area = holds(ask.tx, ask.writer.person_id, area_id or tops[0].id) or named(ask.tx, tops, area_id)
    if area is None:
        return (("menu.not_allowed", {}),)
    below = [each for each in areas.under(ask.tx, area) if each.parent_id == area.id and each.level != "group"]
    if below and (what == "forms" or (chosen != ALL and not PERIOD.fullmatch(chosen))):
        return (("files.export_where", {"buttons": _below(what, area, below, chosen)}),)
    if what == "visits" and not PERIOD.fullmatch(chosen):
        return (("files.export_when", {"area": area.name, "buttons": _periods(area, ask.today)}),)
    return _export(ask, what, area, chosen if what == "visits" else "")


def named(tx: Tx, tops: list[Area], name: str) -> Area | None:
    """The one area of this name in those held, for who types it."""
    found = [area for top in tops for area in areas.under(tx, top) if area.name == name]
    return found[0] if len(found) == 1 else None


def _export(ask: Ask, what: str, area: Area, period: str) -> tuple[Part, ...]:
    job = jobs.add(ask.tx, "export", {"what": what, "area": area.id, "period": period}, ask.now, asker_of(ask))
    if job is None:
        return busy(ask.tx, asker_of(ask))
    ask.note(f"export.{what}", area.id, READ[what])
    return (("files.exporting", {"area": area.name, "buttons": [stop_button(job)]}),)


def _areas(what: str, found: list[Area]) -> Buttons:
    return [[["files_button.area", {"name": area.name}, f"/export {what} {area.id}"]] for area in found]


def _below(what: str, area: Area, below: list[Area], chosen: str) -> Buttons:
    skip = int(chosen[1:]) if re.fullmatch(r"\+\d{1,4}", chosen) else 0
    buttons: Buttons = [] if what == "forms" else [  # printed a village at a time
        [["files_button.whole_area", {"name": area.name}, f"/export {what} {area.id} {ALL}"]]]
    buttons += _areas(what, below[skip:skip + PAGE])
    if skip + PAGE < len(below):
        buttons.append([["button.next_page", {}, f"/export {what} {area.id} +{skip + PAGE}"]])
    return buttons


def _periods(area: Area, today: date) -> Buttons:
    months = (today, today.replace(day=1) - timedelta(days=1))
    buttons: Buttons = [
        [["files_button.month", {"year": day.year, "month": day.month}, f"/export visits {area.id} {day:%Y-%m}"]]
        for day in months]
    return [*buttons, [["files_button.year", {"year": today.year}, f"/export visits {area.id} {today.year}"]]]


# What is under way


def stop(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Ends a job of the asker's: the one named, or the one under way."""
    under_way = jobs.under_way(ask.tx, ask.writer.person_id)
    job_id = rest or (under_way.id if under_way else "")
    stopped = bool(job_id) and jobs.cancel(ask.tx, ask.writer.person_id, job_id, ask.now)
    return (("files.stopped" if stopped else "files.nothing_to_stop", {}),)


def asker_of(ask: Ask) -> Asker:
    """Whose job it becomes, and where he is told of it."""
    return Asker(ask.writer.person_id, ask.inbound.channel, ask.inbound.chat)


def busy(tx: Tx, asker: Asker) -> tuple[Part, ...]:
    """What is said while another job of theirs is under way."""
    under_way = jobs.under_way(tx, asker.person_id)
    return (("files.busy", {"buttons": [stop_button(under_way.id if under_way else "")]}),)


def stop_button(job: str | None) -> list[list[object]]:
    """The button that ends a job."""
    return [["files_button.stop", {}, f"/stop {job}".strip()]]


def _by_page() -> list[list[object]]:
    return [["files_button.by_page", {}, f"/import {WEB[0]}"]]


COMMANDS = {"import": import_, "export": export, "stop": stop}
