"""The kit: each case of `cases/`, word for word, on every platform through its real HTTP and crypto.

A case is a transcript (tests/conversations/transcript.py says how one is written). Where a platform's own rules make
people read something else, the case stands once more under its name, such as `cases/wechat/blocked.txt`.
"""

from pathlib import Path

import pytest

from storage.crypto import Keys
from tests.conversations.transcript import WRITE, InMemory, Player
from tests.fakes.house import Originals, Recorder, Running
from tests.platforms.ways import WAYS, ways_for

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))


def on(case: Path) -> list[str]:
    """The ways on which a case is played: those where it can be done as written, or otherwise by its own file."""
    fits = ways_for(case.read_text())
    return [way for way in WAYS if way in fits or (case.parent / way / case.name).exists()]


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Originals:
    return Originals(tmp_path_factory.mktemp("village"), keys)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
async def test_a_case_goes_as_written(case: Path, originals: Originals) -> None:
    store, village = await originals.store()
    recorder = Recorder()
    try:
        played = await Player(InMemory(Running(store, village, recorder), recorder)).play(case.read_text())
    finally:
        store.close()
    if WRITE:
        case.write_text(played)
    assert played == case.read_text()


@pytest.mark.parametrize(("case", "way"), [(case, way) for case in CASES for way in on(case)],
                         ids=lambda given: given if isinstance(given, str) else given.stem)
async def test_a_case_goes_the_same_on_every_platform(case: Path, way: str, originals: Originals) -> None:
    own = case.parent / way / case.name
    script = own if own.exists() else case
    async with WAYS[way].opens(originals) as stage:
        played = await Player(stage).play(script.read_text())
    if WRITE and own.exists():
        own.write_text(played)
    alike = WAYS[way].alike
    assert alike(played) == alike(script.read_text())
