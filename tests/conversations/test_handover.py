"""移交: what moves is the visiting; a relative stays one, and who has an elder for longer keeps him for longer."""

from pathlib import Path

from storage import assignments
from storage.crypto import Keys
from storage.database import Tx
from storage.scope import Scope
from tests.conversations.transcript import InMemory
from tests.fakes.house import FILED, START, Originals, Recorder, Running

RELATIVE, SHARED, GUEST = "张桂芳3组", "曾国富3组", "单秀英5组"


async def test_a_handover_moves_the_visiting_and_shortens_nobodys_care(tmp_path: Path, keys: Keys) -> None:
    store, village = await Originals(tmp_path, keys).store()
    wang, li, elders = village.people["王强"], village.people["李军"], village.elders

    def lay(tx: Tx) -> None:
        assignments.entrust(tx, wang, elders[RELATIVE], "family", FILED)
        assignments.entrust(tx, wang, elders[SHARED], "visitor", FILED, "2026-04-01")
        assignments.entrust(tx, li, elders[SHARED], "visitor", FILED)
        assignments.entrust(tx, li, elders[GUEST], "visitor", FILED, "2026-03-09")

    await store.run(lay)
    recorder = Recorder()
    stage = InMemory(Running(store, village, recorder), recorder)
    for text in ("移交 王强", "李军", "还做", "提交"):
        await stage.act("赵敏", [{"text": text}])

    def found(tx: Tx) -> dict[tuple[str, str, str], str | None]:
        scope = Scope(village.people["赵敏"], START.date())
        return {(name, each.name, each.role): each.until_on for name in (RELATIVE, SHARED, GUEST)
                for each in assignments.carers(tx, scope, elders[name]) if each.person_id in (wang, li)}

    assert await store.read(found) == {
        (RELATIVE, "王强", "family"): None, (RELATIVE, "李军", "visitor"): None, (SHARED, "李军", "visitor"): None,
        (GUEST, "李军", "visitor"): None}
    store.close()
