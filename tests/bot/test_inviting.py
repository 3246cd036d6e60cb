"""Invitations from the command line to the first hello: printed once, used once, within seven days."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from bot import inviting
from bot.app import Foundation
from bot.inviting import InvitationRefused
from bot.settings import Settings
from conversations.documents import qr
from conversations.message import Inbound
from scheduler import policy as policies
from storage import audit, elders
from storage.crypto import Keys
from storage.database import Tx
from storage.people import suspend
from storage.scope import Scope
from storage.tables import accounts, invitations, people
from tests.fakes.house import START, Originals, Recorder, Running

NEWCOMER, OTHER, WANG, ZHAO = "8001", "8002", "7001", "7003"


@dataclass
class Office:
    """The operator's command line, and the bot over the same village."""

    base: Foundation
    running: Running
    recorder: Recorder
    count: int = 0

    async def invites(self, name: str = "周平", area: str = "云溪镇/建设村", roles: tuple[str, ...] = ("visitor",),
                      cares_for: tuple[str, ...] = (), kind: str | None = "grid_worker") -> list[str]:
        return await inviting.make(self.base, name, area, roles, kind, cares_for, START)

    async def token(self, **given: Any) -> str:
        return (await self.invites(**given))[-1].rpartition(" ")[2]

    async def hears(self, account: str, text: str) -> None:
        self.count += 1
        await self.running.handle(Inbound("test", account, account, str(self.count), self.running.now(), text=text))

    async def says(self, account: str, text: str) -> str:
        """What the bot answers."""
        await self.hears(account, text)
        await self.running.delivery.settle()
        return "\n".join(shown.text for shown in self.recorder.sent[account][-1:])

    async def bound(self, account: str) -> str | None:
        """The name of the person behind an account."""
        statement = select(people.c.name).join(accounts).where(accounts.c.account == account)
        row = await self.base.store.read(lambda tx: tx.one(statement))
        return row[0] if row else None

    async def names(self) -> set[str]:
        return {name for name, in await self.base.store.read(lambda tx: tx.all(select(people.c.name)))}


@pytest.fixture
async def office(tmp_path: Path, keys: Keys) -> AsyncIterator[Office]:
    store, village = await Originals(tmp_path, keys).store()
    settings = Settings(_env_file=None, public_url="https://visits.example", key_file=tmp_path / "keys.json",
                        data_dir=tmp_path / "data")  # type: ignore[call-arg]
    recorder = Recorder()
    yield Office(Foundation(settings, keys, policies.load(), store), Running(store, village, recorder), recorder)
    store.close()


async def test_the_printed_link_and_command_bind_whoever_uses_them(office: Office) -> None:
    lines = await office.invites()
    token = lines[-1].rpartition("/start ")[2]
    assert f"  https://visits.example/playground?start={token}" in lines
    assert "周平，您好" in await office.says(NEWCOMER, f"/start {token}")
    assert await office.bound(NEWCOMER) == "周平"


@pytest.mark.parametrize("kind", [None, "chauffeur"])
async def test_a_visitor_needs_a_kind_that_the_policy_there_knows(office: Office, kind: str | None) -> None:
    before = await office.names()
    with pytest.raises(InvitationRefused, match=r"--kind must be one of grid_worker, volunteer, .*neighbour"):
        await office.invites(kind=kind)
    assert await office.names() == before
    await office.invites(kind=None, roles=("township",), area="云溪镇")


async def test_a_qr_code_and_a_spoken_code_are_printed_and_a_coordinator_says_who_typed_it(office: Office) -> None:
    lines = await office.invites()
    assert len([line for line in lines if "\u2588" in line]) > 10
    code = next(line for line in lines if "spoken code" in line).rpartition(": ")[2]
    assert "请等一等" in await office.says(NEWCOMER, code)
    await office.running.delivery.sweep()
    asked = office.recorder.sent[ZHAO][-1]
    assert "周平 · 建设村探访人员（网格员）\n有人用口令绑定" in asked.text
    yes = next(token for row in asked.buttons for label, token in row if "是他本人" in label)
    await office.hears(ZHAO, yes)
    assert "您好，周平" in await office.says(NEWCOMER, "你好")


async def test_no_spoken_code_is_printed_where_nobody_could_say_who_typed_it(office: Office) -> None:
    lines = await office.invites(area="云溪镇", name="何平", roles=("township",))
    assert [line for line in lines if "spoken code" in line], "赵敏 coordinates there too"
    await office.base.store.run(lambda tx: suspend(tx, office.running.village.people["赵敏"], "operator", START))
    lines = await office.invites(area="云溪镇", name="吴刚", roles=("township",))
    assert [line for line in lines if "spoken code" in line], "何平 does"
    await office.base.store.run(lambda tx: tx.run(update(people).values(status="left")))
    lines = await office.invites(area="云溪镇", name="郑敏", roles=("township",))
    assert not [line for line in lines if "spoken code" in line]


def test_a_qr_code_is_a_picture_of_the_link(tmp_path: Path) -> None:
    link = "https://t.me/tanfang_bot?start=" + "A" * 22
    assert qr.png(link).startswith(b"\x89PNG")
    assert qr.png(link) != qr.png(link[:-1] + "B")
    assert {len(line) for line in qr.text(link).splitlines()} == {len(qr.text(link).splitlines()[0])}


async def test_the_token_is_not_kept(office: Office, tmp_path: Path) -> None:
    token = await office.token()
    await office.says(NEWCOMER, f"/start {token}")
    files = [path.read_bytes() for path in tmp_path.glob("*.db*")]
    assert files
    assert not [content for content in files if token.encode() in content]


async def test_an_invitation_serves_once(office: Office) -> None:
    token = await office.token()
    await office.says(NEWCOMER, f"/start {token}")
    assert "已经用过" in await office.says(OTHER, f"/start {token}")
    assert await office.bound(OTHER) is None
    assert "已经用过" in await office.says(WANG, f"/start {token}")
    assert await office.bound(WANG) == "王强"


async def test_of_two_who_use_it_at_the_same_time_one_is_bound(office: Office) -> None:
    token = await office.token()
    await asyncio.gather(office.hears(NEWCOMER, f"/start {token}"), office.hears(OTHER, f"/start {token}"))
    bound = [await office.bound(account) for account in (NEWCOMER, OTHER)]
    assert sorted(map(str, bound)) == ["None", "周平"]


async def test_an_invitation_is_good_for_seven_days(office: Office) -> None:
    late, in_time = await office.token(), await office.token(name="周安")
    office.running.at = START + timedelta(days=7)
    assert "周安，您好" in await office.says(NEWCOMER, f"/start {in_time}")
    office.running.at += timedelta(seconds=1)
    assert "过期" in await office.says(OTHER, f"/start {late}")
    assert await office.bound(OTHER) is None


@pytest.mark.parametrize("guess", ["A" * 22, "x", "x" * 5000, "%", "' OR 1=1 --", "\x00"])
async def test_a_guessed_token_binds_nobody_and_says_nothing(office: Office, guess: str) -> None:
    await office.token()
    assert "不对" in await office.says(NEWCOMER, f"/start {guess}")
    assert await office.bound(NEWCOMER) is None


async def test_without_a_token_a_stranger_is_told_how_to_come_in(office: Office) -> None:
    await office.token()
    for text in ("/start", "/my", "你好", "周平"):
        assert "邀请链接" in await office.says(NEWCOMER, text)


@pytest.mark.parametrize("area", ["没有村", "河坝镇/建设村", "", "云溪镇/"])
async def test_an_area_that_is_not_there_is_refused_and_nobody_is_made(office: Office, area: str) -> None:
    before = await office.names()
    with pytest.raises(InvitationRefused, match="no area"):
        await office.invites(area=area)
    assert await office.names() == before


@pytest.mark.parametrize("roles", [(), ("king",), ("visitor", "king")])
async def test_a_role_that_is_not_there_is_refused_and_the_roles_are_named(
    office: Office, roles: tuple[str, ...]
) -> None:
    before = await office.names()
    with pytest.raises(InvitationRefused, match="visitor, first_contact, family"):
        await office.invites(roles=roles)
    assert await office.names() == before


async def test_an_elder_of_another_village_or_of_a_double_name_is_not_entrusted(office: Office) -> None:
    before = await office.names()
    for name, reason in (("陈国清", "no elder"), ("张桂芳", "several elders"), ("没有人", "no elder")):
        with pytest.raises(InvitationRefused, match=reason) as refused:
            await office.invites(cares_for=("仇大山", name))
        assert name not in str(refused.value)
    assert await office.names() == before
    assert await office.base.store.read(lambda tx: tx.all(select(invitations.c.id))) == []


async def test_who_is_invited_for_one_elder_sees_that_one(office: Office) -> None:
    token = await office.token(cares_for=("仇大山",))
    await office.says(NEWCOMER, f"/start {token}")
    told = await office.says(NEWCOMER, "我的老人")
    assert "共 1 位" in told
    assert "仇大山" in told


async def test_a_daughter_who_is_invited_reads_no_file(office: Office) -> None:
    token = await office.token(roles=("family",), cares_for=("仇大山",))
    await office.says(NEWCOMER, f"/start {token}")
    for text in ("我的老人", "档案 仇大山", "看记录 仇大山", "打印 仇大山", "上门探访 仇大山"):
        assert "仇大山" not in await office.says(NEWCOMER, text)


async def test_who_was_invited_entrusted_and_bound_stands_on_the_audit_chain(office: Office) -> None:
    token = await office.token(cares_for=("仇大山",))
    await office.says(NEWCOMER, f"/start {token}")

    def lines(tx: Tx) -> str:
        verdict = audit.verify(tx)
        assert verdict.broken_at is None
        return "".join(entries for _, _, entries, _ in tx.all(audit.PAGE, after=0))

    chain = await office.base.store.read(lines)
    elder = office.running.village.elders["仇大山6组"]
    for line in ('["operator","person.add"', f'["operator","elder.entrust","{elder}"', '["operator","invitation.make"',
                 '"account.bind"'):
        assert line in chain
    assert "周平" not in chain
    assert token not in chain


async def test_an_entrusted_elder_is_in_care_from_that_day_on(office: Office) -> None:
    await office.invites(cares_for=("仇大山",))
    elder = office.running.village.elders["仇大山6组"]
    statement = select(people.c.id).where(people.c.name == "周平")

    def seen(tx: Tx, days: int) -> bool:
        row = tx.one(statement)
        assert row is not None
        return elders.in_scope(tx, Scope(row[0], START.date() + timedelta(days=days)), elder)

    assert not await office.base.store.read(lambda tx: seen(tx, -1))
    assert await office.base.store.read(lambda tx: seen(tx, 0))
