"""Plays the conversations in `transcripts/*.txt`, and writes them anew with TRANSCRIPTS=write.

    TRANSCRIPTS=write .venv/bin/python -m pytest tests/conversations/test_transcripts.py

rewrites the bot's side of every file; read the difference before you keep it. A file holds:

    # a remark
    > 你好                       王强 types it; `李军 > 你好` is somebody else; `| …` goes on with a further line
    > [上门探访]                 taps this button of what he was shown last (the whole label, or a part of it)
    > (old [2 增加])             taps a button that was shown before and stands there no more
    > (李军's [1 无变化])         taps a button that somebody else was shown
    > (button abc)               sends a button's token that never was
    > (twice [提交])             two taps at the same moment
    > (same again)               the last message is delivered again
    > (file 台账.xlsx)            sends this file of `ledgers.FILES`
    > (back 1 3)                sends the workbook of differences that he was last given, its lines 1 and 3 marked 是
    > (photo), (photo) 说明, (voice), (sticker), (place), (10000 characters), (2000 characters), (in the group) 你好
    @ time 2026-03-06 09:00      moves the clock; each message takes 20 seconds
    @ invite 钱进                 makes an invitation: `/start {invitation}`; `{code}` and `{invitation}` are also the
                                 ones last shown to anybody, `{earlier}` the invitation before
    @ jobs 赵敏                   lets every job that waits be done; shows what she is told
    @ opens 赵敏                  prints the workbook that she was last given
    @ suspend 王强 / @ release 张桂芳3组 / @ form changed
    @ sweep                      sends what waits in the outbox: `王强 gets` and the message
    @ remind 王强 张桂芳3组         queues a reminder that a visit is due
    @ alert 张桂芳3组 unreachable 李娜   raises an alert of this kind, in her name (nobody's where none stands there)
    @ coordinator 旁人 河坝村 village   makes somebody a coordinator of this area, with an account
    @ vendor anxin               lets a vendor of devices send alarms
    @ alarm A1 heart_rate 38     he sends one of this device: its kind, and the number where there is one
    @ watch                      lets the clock tell more people of what nobody answered
    @ campaigns                  lets the clock see to campaigns, and sends what waits
    @ digests                    writes the digests of the day, to be sent at their hour
    @ pauses                     opens again who was to be back by now
    @ child 李涛 张桂芳3组         another child of this elder, with an invitation as above
    @ calls                      what the clock does about calls, months and requests now
    @ frozen                     freezes the figures of every month whose cut-off is over
    @ unchanged … @ changed      between these nothing may change in the form that is open
    @ draft, @ visits 张桂芳3组   prints what is kept, every answer with its manner

What the bot says is indented, buttons as [label] [label], `----` between messages, (nothing) where it is silent.
"""

import asyncio
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import openpyxl
import orjson
from sqlalchemy import select

from conversations.book import FormBook
from conversations.draft import dump, parse
from conversations.form import Form
from conversations.message import Inbound, Media, Place
from conversations.words_book import Words
from scheduler import (
    alerting,
    calls,
    checkins,
    devices,
    family,
    followups,
    freezing,
    notices,
    pauses,
    reminders,
    tick,
    upkeep,
)
from scheduler.notices import VisitDue
from storage import accounts, areas, assignments, device_vendors, drafts, elders, invitations, people, tables, visits
from storage.database import Tx
from storage.scope import Scope
from tests.fakes.chat_ledgers import FILES, SIZES
from tests.fakes.house import START, ZONE, Recorder, Running, Shown, find_account, name_of

FOLDER = Path(__file__).parent / "transcripts"
WRITE = os.environ.get("TRANSCRIPTS") == "write"
INDENT = "    "
ACTION = re.compile(r"(\S*) ?> (.*)")
DIRECTION = re.compile(r"\(([^)]*)\) ?(.*)", re.DOTALL)
GROUP = "-100"
WATCHING = {"alerts": alerting.climb, "after": followups.sweep, "check-ins": checkins.sweep, "devices": devices.sweep}
_PAGE = re.compile(r"/f/[\w-]{22}")
_KEY = re.compile(r"[0-9a-f]{32}")
_NUMBER = re.compile(r"(☑ )?\d+ ")
_CODE = re.compile(r"：\d{6}$")


@dataclass(frozen=True)
class Step:
    """One line of a script: a person's action, a direction, or a remark."""

    kind: str  # > @ #
    who: str
    what: str
    source: str


class Stage(Protocol):
    """Where a transcript is played: what a person does, and what he is then shown."""

    running: Running

    async def act(self, who: str, inbounds: list[dict[str, Any]]) -> list[Shown]:
        """Does these at once; gives the messages sent or edited because of it."""
        ...

    async def sweep(self) -> list[tuple[str, Shown]]:
        """Sends what waits in the outbox; gives who got what."""
        ...

    async def work(self, who: str) -> list[Shown]:
        """Lets the jobs that wait be done; gives what this person is sent because of it."""
        ...

    async def file(self, who: str) -> bytes:
        """The file that this person was last sent."""
        ...


class InMemory:
    """The channel that only records."""

    def __init__(self, running: Running, recorder: Recorder) -> None:
        self.running, self._recorder = running, recorder
        self._delivered = 0
        self._last: list[Inbound] = []

    async def act(self, who: str, inbounds: list[dict[str, Any]]) -> list[Shown]:
        account = find_account(who)
        before = {chat: len(sent) for chat, sent in self._recorder.sent.items()}
        if inbounds == [{"blocks": True}]:
            self._recorder.blocked.add(account)
            return []
        if inbounds != [AGAIN]:
            self._recorder.blocked.discard(account)
            self._last = [self._inbound(account, fields) for fields in inbounds]
        self.running.forget()  # what is not in the store is gone before every message
        await asyncio.gather(*map(self.running.handle, self._last))
        await self.running.delivery.settle()
        return [shown for chat, sent in self._recorder.sent.items() for shown in sent[before.get(chat, 0):]]

    async def sweep(self) -> list[tuple[str, Shown]]:
        before = {chat: len(sent) for chat, sent in self._recorder.sent.items()}
        await self.running.delivery.sweep()
        return [(name_of(chat), shown) for chat, sent in self._recorder.sent.items()
                for shown in sent[before.get(chat, 0):]]

    async def work(self, who: str) -> list[Shown]:
        before = len(self._recorder.sent.get(find_account(who), []))
        self._recorder.files = FILES
        await self.running.work()
        return self._recorder.sent.get(find_account(who), [])[before:]

    async def file(self, who: str) -> bytes:
        return self._recorder.documents[-1].body

    def _inbound(self, account: str, fields: dict[str, Any]) -> Inbound:
        self._delivered += 1
        chat = GROUP if fields.get("chat_kind") == "group" else account
        return Inbound("test", account, chat, str(self._delivered), self.running.now(), **fields)


def lines_of(workbook: bytes) -> Iterator[str]:
    """The sheets of a workbook and their lines, without what is random."""
    for sheet in openpyxl.load_workbook(BytesIO(workbook)).worksheets:
        yield f"= {sheet.title}"
        for row in sheet.iter_rows(values_only=True):
            yield _KEY.sub("{key}", " | ".join("" if cell is None else str(cell) for cell in row)).rstrip(" |")


def marked(workbook: bytes, lines: set[int]) -> bytes:
    """A workbook of differences with these lines of its first sheet marked to be taken over."""
    book = openpyxl.load_workbook(BytesIO(workbook))
    sheet = book.worksheets[0]
    column = next(cell.column for cell in sheet[1] if cell.value == "采纳")
    for line in lines:
        sheet.cell(line + 1, column).value = "是"
    book.save(out := BytesIO())
    return out.getvalue()


AGAIN: dict[str, Any] = {"again": True}


def steps(script: str) -> Iterator[Step]:
    """The lines of a script; what the bot said (indented) is passed over."""
    lines = [line for line in script.splitlines() if line.strip() and not line.startswith(INDENT)]
    index = 0
    while index < len(lines):
        line = lines[index]
        index += 1
        if line[0] in "#@":
            yield Step(line[0], "", line[1:].strip(), line)
            continue
        match = ACTION.fullmatch(line)
        assert match, f"not a line of a transcript: {line}"
        what, source = match[2], [line]
        while index < len(lines) and lines[index].startswith("|"):
            what += "\n" + lines[index][2:]
            source.append(lines[index])
            index += 1
        yield Step(">", match[1] or "王强", what, "\n".join(source))


class Player:
    """Plays one script on a stage and writes down what is said."""

    def __init__(self, stage: Stage, changed_form: Form | None = None) -> None:
        self.stage, self.running = stage, stage.running
        self._changed_form = changed_form
        words, name = Words(), self.running.channel.name
        called = words.say(f"channel.{name}") if words.has(f"channel.{name}") else name
        self._platform = re.compile(rf"(?<!\w){called}(?= 账号| 尾号| 的那个号|）也| 收得到)")
        self._seen: dict[str, list[Shown]] = {}
        self._invitation = self._earlier = self._code = ""
        self._still: tuple[str, bytes] | None = None

    async def play(self, script: str) -> str:
        """The whole transcript as it went."""
        written: list[str] = []
        for step in steps(script):
            written += ["", step.source] if written else [step.source]
            try:
                if step.kind == ">":
                    written += await self._act(step.who, step.what)
                elif step.kind == "@":
                    written += await self._direct(step.what)
            except AssertionError as error:
                error.add_note("\n".join(written[-120:]))
                raise
        return "\n".join(line.rstrip() for line in written).strip() + "\n"

    async def _act(self, who: str, what: str) -> list[str]:
        self.running.later()
        for name, now in (("invitation", self._invitation), ("earlier", self._earlier), ("code", self._code)):
            what = what.replace(f"{{{name}}}", now)
        fields = await self._inbounds(who, what)
        shown = await self.stage.act(who, fields)
        await self._check_draft(who)
        return self._told(who, shown)

    def _told(self, who: str, shown: list[Shown]) -> list[str]:
        """What is shown, without what is random; channels are called alike."""
        self._seen.setdefault(who, []).extend(shown)
        lines = []
        for line in told(shown):
            if link := re.search(r"start=([\w-]{22})", line):
                self._earlier, self._invitation = self._invitation, link[1]
                line = line.replace(link[1], "{invitation}")
            if code := re.search(r"口令：(\d{6})$", line):
                self._code = code[1]
                line = line.replace(code[1], "{code}")
            line = _PAGE.sub("/f/{page}", _CODE.sub("：{code}", line))
            lines.append(self._platform.sub("Telegram", line))
        return lines

    async def _inbounds(self, who: str, what: str) -> list[dict[str, Any]]:
        if what.startswith("[") and what.endswith("]"):
            return [self._tap(who, what[1:-1])]
        match = DIRECTION.fullmatch(what)
        if not match:
            return [{"text": what}]
        direction, text = match[1], match[2]
        if button := re.fullmatch(r"old \[(.*)\]", direction):
            return [self._old(who, button[1])]
        if button := re.fullmatch(r"(\S+)'s \[(.*)\]", direction):
            return [{**self._tap(button[1], button[2]), "source": self._seen[who][-1].handle}]
        if button := re.fullmatch(r"twice \[(.*)\]", direction):
            return [self._tap(who, button[1])] * 2
        if button := re.fullmatch(r"button (.*)", direction):
            return [{"choice": button[1], "source": self._seen[who][-1].handle}]
        if direction.startswith("file "):
            name = direction.removeprefix("file ")
            return [{"media": (Media("file", name, SIZES.get(name, len(FILES.get(name, b""))), name),)}]
        if direction.startswith("back"):
            FILES["back.xlsx"] = marked(await self.stage.file(who), {int(line) for line in direction.split()[1:]})
            return [{"media": (Media("file", "back.xlsx", len(FILES["back.xlsx"]), "back.xlsx"),)}]
        others: dict[str, dict[str, Any]] = {
            "photo": {"media": (Media("photo", "a-photo", 1000),), "text": text},
            "voice": {"media": (Media("voice", "a-voice", 1000),)},
            "sticker": {},
            "place": {"place": Place(28.871, 105.442)},
            "10000 characters": {"text": "好" * 10_000}, "2000 characters": {"text": "好" * 2000},
            "in the group": {"text": text, "chat_kind": "group"},
            "same again": AGAIN,
            "blocks": {"blocks": True},
        }
        return [others[direction]]

    def _tap(self, who: str, label: str) -> dict[str, Any]:
        """The newest message with such a button: its whole label, or without its number, or a part of it."""
        visible = {shown.handle: shown for shown in self._seen.get(who, [])}.values()
        for fits in (_same, _numbered, _contains):
            for shown in sorted(visible, key=lambda shown: (len(shown.handle), shown.handle), reverse=True):
                for text, token in (button for row in shown.buttons for button in row):
                    if fits(text, label):
                        return {"choice": token, "source": shown.handle} if token else {"text": text}
        raise AssertionError(f"{who} sees no button {label}: {told(self._seen.get(who, [])[-1:])}")

    def _old(self, who: str, label: str) -> dict[str, Any]:
        newest = {token for row in self._seen[who][-1].buttons for _, token in row}
        for shown in self._seen[who]:
            for text, token in (button for row in shown.buttons for button in row):
                if token not in newest and (_same(text, label) or _numbered(text, label)):
                    return {"choice": token, "source": shown.handle}
        raise AssertionError(f"{who} was never shown an older button {label}")

    async def _direct(self, what: str) -> list[str]:
        name, _, rest = what.partition(" ")
        store, village = self.running.store, self.running.village
        match name:
            case "time":
                self.running.at = datetime.strptime(rest, "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)
            case "invite":
                self._earlier, self._invitation = self._invitation, await store.run(
                    lambda tx: invitations.make(tx, village.people[rest], "operator", self.running.now()))
            case "opens":
                return [INDENT + line for line in lines_of(await self.stage.file(rest))]
            case "jobs":
                return self._told(rest, await self.stage.work(rest))
            case "suspend":
                await store.run(lambda tx: people.suspend(tx, village.people[rest], "operator", self.running.now()))
            case "release":
                await store.run(lambda tx: assignments.end(tx, village.people["王强"], village.elders[rest], self.running.now().date()))
            case "form":
                assert self._changed_form is not None
                others = [form for name, form in self.running.book.current.items() if name != self._changed_form.name]
                self.running.use(FormBook([self._changed_form, *others], self.running.book.current.values()))
            case "remind":
                who, elder = rest.split()
                due = VisitDue(person=village.people[who], elder=village.elders[elder], due_until="2999-12-31")
                await store.run(lambda tx: notices.tell(tx, due, self.running.now()))
            case "alert":
                elder, kind, *by = rest.split()
                await store.run(lambda tx: alerting.raise_alert(
                    tx, village.elders[elder], kind, "person", village.people[by[0]] if by else None,
                    self.running.policies, self.running.now()))
            case "coordinator":
                who, area, role = rest.split()
                await store.run(lambda tx: self._coordinator(tx, who, area, role))
            case "vendor":
                await store.run(lambda tx: device_vendors.invite(tx, rest, "operator", self.running.now()))
            case "alarm":
                await store.run(lambda tx: self._alarm(tx, *rest.split()))
            case "watch":
                await tick.tick(store, self.running.now(), self.running.policies, WATCHING)
            case "pauses":
                now = self.running.now()
                await store.run(lambda tx: pauses.sweep(tx, now, self.running.policies))
            case "campaigns":
                theirs = {name: tick.SWEEPS[name] for name in tick.SWEEPS if "campaign" in name or "festival" in name}
                assert await tick.tick(store, self.running.now(), self.running.policies, theirs) == []
                return await self._direct("sweep")
            case "child":
                child, elder = rest.split()
                self._earlier, self._invitation = self._invitation, await store.run(
                    lambda tx: self._child(tx, child, elder))
            case "calls":
                await tick.tick(store, self.running.now(), self.running.policies, {
                    "plans": calls.plans, "calls": calls.sweep, "months": calls.month, "late": family.late})
            case "frozen":
                now = self.running.now()
                while await store.run(lambda tx: freezing.sweep(tx, now, self.running.policies)):
                    pass
            case "digests":
                now = self.running.now()
                while await store.run(lambda tx: reminders.sweep(tx, now, self.running.policies)):
                    pass
            case "tick":
                await tick.tick(store, self.running.now(), self.running.policies, {"classes": upkeep.classes})
            case "sweep":
                lines = []
                for who, shown in await self.stage.sweep():
                    lines += [f"{INDENT}{who} gets", *self._told(who, [shown])]
                return lines or [INDENT + "(nothing)"]
            case "unchanged":
                self._still = await store.read(lambda tx: self._open(tx, "王强"))
                assert self._still, "no form is open"
            case "changed":
                self._still = None
            case "draft":
                kept = await store.read(lambda tx: self._open(tx, "王强"))
                return [INDENT + line for line in (_answers(orjson.loads(kept[1])["answers"]) if kept else ["(none)"])]
            case "visits":
                return await store.read(lambda tx: self._visits(tx, rest))
            case _:
                raise AssertionError(f"unknown direction: {what}")
        return []

    async def _check_draft(self, who: str) -> None:
        """What is kept reads back as it was; and it stands still where the script says so."""
        kept = await self.running.store.read(lambda tx: self._open(tx, who))
        if kept is not None:
            assert dump(parse(kept[0], "", "", kept[1])) == kept[1]
        if self._still is not None and who == "王强":
            assert kept == self._still, "the open form was changed"

    def _open(self, tx: Tx, who: str) -> tuple[str, bytes] | None:
        writer = accounts.writer(tx, self.running.channel.name, find_account(who))
        if writer is None or writer.draft is None:
            return None
        return writer.draft.id, drafts.open_body(tx, writer.draft.id, writer.draft.body)

    def _child(self, tx: Tx, name: str, elder: str) -> str:
        now, village = self.running.now(), self.running.village
        found = elders.unscoped(tx, village.elders[elder])
        assert found is not None
        village.people[name] = people.add(tx, found.village_id, name, ("family",), now).id
        assignments.entrust(tx, village.people[name], found.id, "family", now.date().isoformat())
        calls.begin(tx, village.people[name], found.id, self.running.policies.city, now)
        return invitations.make(tx, village.people[name], "operator", now)

    def _coordinator(self, tx: Tx, name: str, area: str, role: str) -> None:
        now = self.running.now()
        self.running.village.people[name] = people.add(tx, areas.named(tx, area)[0].id, name, (role,), now).id
        account = find_account(name)
        accounts.bind(tx, self.running.channel.name, account, account, self.running.village.people[name], now)

    def _alarm(self, tx: Tx, serial: str, kind: Any, number: str = "") -> None:
        now, vendor = self.running.now(), device_vendors.everyone(tx)[0]
        name = {"heart_rate": "per_minute", "battery_low": "percent"}.get(kind, "hours")
        sent = devices.Sent(tx.new_id(now), serial, kind, now, int(number) if number else None,
                            {name: int(number)} if number else {})
        devices.keep(tx, vendor, sent, self.running.policies, now)

    def _visits(self, tx: Tx, elder: str) -> list[str]:
        scope = Scope(self.running.village.people["赵敏"], START.date())
        ids = tx.all(select(tables.visits.c.visit_id).where(
            tables.visits.c.elder_id == self.running.village.elders[elder], tables.visits.c.version == 1,
        ).order_by(tables.visits.c.number))
        lines = []
        for visit in [version for visit_id, in ids for version in visits.versions(tx, scope, visit_id)]:
            late = " late" if visit.late else ""
            why = f" because {visit.reason}" if visit.reason else ""
            lines.append(f"{INDENT}no. {visit.number} version {visit.version} {visit.state}: {visit.on_day}{late}{why}")
            lines += [INDENT * 2 + line for line in _answers(visit.answers)]
        return lines or [INDENT + "(none)"]


def told(shown: list[Shown]) -> list[str]:
    """Messages as they stand in a transcript."""
    lines: list[str] = []
    for message in shown:
        lines += [INDENT + "----"] if lines else []
        lines += [INDENT + line for line in message.text.splitlines()]
        lines += [f"{INDENT}[file {message.document}]"] if message.document else []
        if not message.inline:
            lines += [INDENT + " ".join(f"[{label}]" for label, _ in row) for row in message.buttons]
    return lines or [INDENT + "(nothing)"]


def without_rows(transcript: str) -> str:
    """A transcript with all buttons of a message in one row: platforms lay them out in their own way."""
    return re.sub(r"\]\n {4}\[", "] [", transcript)


def only_words(transcript: str) -> str:
    """A transcript with what is said in one line, without brackets: where the messages of one answer are a single text,
    and labels are lines to read, those that only steer after the numbered ones.
    """
    lines = re.sub(r"(?:^ {4}\[(?!file ).*\]\n)+", lambda row: _numbered_first(row[0]), transcript, flags=re.MULTILINE)
    apart = re.sub(r"----$|[\[\]]", " ", re.sub(r"\n\s*\n", "\n", lines), flags=re.MULTILINE)
    return re.sub(r"(?:^ {4}.*\n)+", lambda said: _in_one_line(said[0]) + "\n", apart, flags=re.MULTILINE)


def _in_one_line(said: str) -> str:
    """Everything that is said, with who gets it: named once for all that he gets after each other."""
    words: list[str] = []
    whose = ""
    for line in said.splitlines():
        if line.endswith(" gets"):
            line, whose = ("" if line == whose else line), line
        words += line.split()
    return "".join(words)  # a text that comes in parts may be cut between two words, or within a sentence


def without_steering(transcript: str) -> str:
    """As `only_words`, and only the numbered buttons: where a card has no room for those that steer, they are typed."""
    def numbered(line: re.Match[str]) -> str:
        return re.sub(r"\[(?!file |(?:☑ )?\d+ )[^\]]*\]", "", line[0])

    return only_words(re.sub(r"^ {4}.*\[.*$", numbered, transcript, flags=re.MULTILINE))


def _numbered_first(rows: str) -> str:
    labels = re.findall(r"\[(.*?)\](?=[ \u3000\n])", rows)
    return f"{INDENT}{' '.join(sorted(labels, key=lambda label: not _NUMBER.match(label)))}\n"


def _answers(answers: dict[str, list[Any]]) -> list[str]:
    """One line for each answer, those given in one manner after another on one line."""
    lines: list[str] = []
    manner = ""
    for question, (value, _, how, *media) in answers.items():
        shown = "…" if question == "elder" else orjson.dumps(value).decode()
        text = f"{question}={shown}{f' +{len(media[0])} media' if media else ''}"
        if how == manner and len(lines[-1]) + len(text) < 100:
            lines[-1] += f", {text}"
        else:
            lines.append(f"{how}: {text}")
        manner = how
    return lines


def _same(text: str, label: str) -> bool:
    return text == label


def _numbered(text: str, label: str) -> bool:
    return re.sub(r"^(☑ )?\d+ ", "", text) == label


def _contains(text: str, label: str) -> bool:
    return label in text


