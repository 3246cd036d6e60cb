"""A general elder is a priority one in the morning of his eightieth birthday: in his file and in the list."""

from datetime import timedelta
from pathlib import Path

from scheduler import casework, tick
from storage import areas
from storage.crypto import Keys
from storage.database import Tx
from storage.elders import NewElder
from tests.conversations.transcript import InMemory
from tests.fakes.house import START, Originals, Recorder, Running


async def test_the_file_and_the_list_show_it_overnight(tmp_path: Path, keys: Keys) -> None:
    store, village = await Originals(tmp_path, keys).store()
    recorder = Recorder()
    stage = InMemory(Running(store, village, recorder), recorder)
    house = stage.running

    def register(tx: Tx) -> str:
        place = next(area for area in areas.everything(tx) if area.name == "建设村")
        return casework.register(tx, NewElder(place.id, "4组", "罗玉兰", "lyl", "female", "1946-03-20", ["living_alone"],
                                              "intact", "2026-03-02"), house.policies, START)

    await store.run(register)

    async def said(text: str, days: int) -> str:
        house.at = START + timedelta(days=days)
        await tick.tick(store, house.at, house.policies)
        shown = await stage.act("赵敏", [{"text": text}])
        return shown[-1].text

    evening, morning = await said("档案 罗玉兰", 14), await said("档案 罗玉兰", 15)
    assert "一般对象" in evening
    assert "本期上门：最晚3月31日" in evening
    assert "重点对象：高龄独居（80 岁）" in morning
    assert "本期上门：最晚3月31日" in morning
    assert "最晚3月31日" in await said("我的老人", 15)
    assert "快到了" in await said("档案 罗玉兰", 24)
    assert "3月31日 周二已到期" in await said("档案 罗玉兰", 27)
    store.close()
