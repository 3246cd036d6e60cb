"""`python -m bot serve` with an Official Account: a real process, killed between two deliveries of one message."""

from datetime import UTC, datetime
from pathlib import Path

import httpx

from tests.fakes.wechat_api import FakeWeChat
from tests.faults.server import Server


async def test_a_process_killed_after_its_answer_gives_the_same_answer_to_the_repeat(tmp_path: Path) -> None:
    async with FakeWeChat(lambda: datetime.now(UTC)) as fake, Server(
            tmp_path, "", "", PUBLIC_URL="https://visits.example", WECHAT_APP_ID=fake.app_id,
            WECHAT_APP_SECRET=fake.secret, WECHAT_TOKEN=fake.token, WECHAT_AES_KEY=fake.aes_key,
            WECHAT_API_URL=fake.url) as server:
        fake.bot_url = server.url
        [wang] = await server.village(1)
        person = fake.person("o-wang", follows=False)
        await server.start()
        await server.ready()
        async with httpx.AsyncClient() as http:
            assert (await http.get(f"{server.url}/wechat/join/{wang.token}")).status_code == 303
        bound = await person.scans(fake.scenes[0])
        assert "王强" in person.last.read
        hello = await person.says("你好")
        await server.kill()
        assert (await person.says("我的老人")).statuses == [0, 0, 0]  # nobody is there
        await server.start()
        await server.ready()
        await fake.callbacks.again(person, bound)
        await fake.callbacks.again(person, hello)  # the fake compares the answers
        replies = [received for received in person.phone if received.via == "reply"]
        assert len(replies) == 2
        # marks may be lost with the process: what it said may come once more, and nothing else may
        again = [received.text for received in person.phone if received.via == "message"]
        assert len(again) == len(set(again)) and set(again) <= {received.text for received in replies}
        code, seconds = await server.stop()
        assert (code, seconds < 5) == (0, True)
        assert fake.menu and fake.conditional
        said = server.said()
        assert fake.secret not in said and "token-" not in said and "王强" not in said and "Traceback" not in said
