"""A daughter who has nothing but WeChat, from the picture that she scans to the day on which she unfollows."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from scheduler import calls, family, tick
from storage import accounts, assignments, contacts, elders, invitations, people
from storage.crypto import Keys
from storage.database import Tx
from storage.scope import Scope
from tests.channels.wechat_stage import TEMPLATES, Stage, staged
from tests.fakes.house import ZONE, Originals

OWN_TEMPLATE = TEMPLATES + """
[call_due]
template = "T-call"
fields = { thing1 = "{{ elder | named }}", time2 = "{{ time }}", phrase3 = "打电话" }
"""


async def clock_to(stage: Stage, at: datetime) -> None:
    """The clock reminds of calls, and what waits leaves."""
    stage.running.at = at
    await tick.tick(stage.store, at, stage.running.policies, {
        "plans": calls.plans, "calls": calls.sweep, "late": family.late})
    await stage.running.delivery.sweep()


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Originals:
    return Originals(tmp_path_factory.mktemp("village"), keys)


async def test_a_daughter_on_wechat_only(originals: Originals, tmp_path: Path) -> None:
    (tmp_path / "templates.toml").write_text(OWN_TEMPLATE)
    async with staged(originals, templates=tmp_path / "templates.toml") as stage:
        stage.fake.templates["T-call"] = ("thing1", "time2", "phrase3")
        elder = stage.village.elders["单秀英5组"]

        def invite(tx: Tx) -> tuple[str, str]:
            found, now = elders.unscoped(tx, elder), stage.running.now()
            assert found is not None
            person = people.add(tx, found.village_id, "李涛", ("family",), now).id
            assignments.entrust(tx, person, elder, "family", now.date().isoformat())
            calls.begin(tx, person, elder, stage.running.policies.city, now)
            return person, invitations.make(tx, person, "operator", now)

        person, token = await stage.store.run(invite)
        await stage.menus.keep()

        # bound by the picture
        daughter = stage.fake.person("o-daughter", follows=False)
        await daughter.scans(token)
        assert "李涛" in daughter.last.read and daughter.last.via == "reply"
        await stage.menus.follow(daughter.openid)
        assert {each["name"] for each in stage.fake.menu_of(daughter)} >= {"报平安"}

        # reminded, as long as the platform lets a message through
        stage.running.at = datetime(2026, 3, 7, 20, 0, tzinfo=ZONE)
        await daughter.says("你好")
        await clock_to(stage, datetime(2026, 3, 8, 19, 1, tzinfo=ZONE))
        assert daughter.last.via == "message" and "单秀英" in daughter.last.read

        # answers by a tap
        await daughter.taps(next(link[0] for link in daughter.last.links if link[0].startswith("1 ")))
        assert await calls_of(stage, person, elder) == 1

        # a week later nothing but a template reaches her; its number can be typed
        await clock_to(stage, datetime(2026, 3, 15, 19, 1, tzinfo=ZONE))
        assert daughter.last.via == "template"
        assert daughter.last.text.splitlines()[0] == "thing1: 单秀英" and daughter.last.text.endswith("打电话")
        await daughter.says("1")
        assert await calls_of(stage, person, elder) == 2

        # she unfollows, and who looks at the file sees that nothing reaches her
        await daughter.unfollows()
        sent = len(daughter.phone)
        await clock_to(stage, datetime(2026, 3, 22, 19, 1, tzinfo=ZONE))
        assert len(daughter.phone) == sent
        assert await stage.store.read(lambda tx: accounts.cut_off(tx, person))
        wang = stage.who("王强")
        await wang.says("档案 单秀英")
        assert "李涛" in wang.last.read and "收不到消息" in wang.last.read

        # and comes back
        await daughter.follows()
        assert not await stage.store.read(lambda tx: accounts.cut_off(tx, person))


async def calls_of(stage: Stage, person: str, elder: str) -> int:
    """How often she has said that she called."""
    def read(tx: Tx) -> int:
        found = contacts.beside(tx, Scope(person, stage.running.now().date()), elder,
                                (stage.running.now() - timedelta(days=60)).date().isoformat())
        return found.count if found else 0
    return await stage.store.read(read)
