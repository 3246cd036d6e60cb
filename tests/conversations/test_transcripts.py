"""Every transcript, word for word on a channel of our own, and again on one of the platforms over real HTTP."""

from pathlib import Path
from zlib import crc32

import pytest

from conversations.form import FORMS, Form, load
from storage.crypto import Keys
from tests.conversations.transcript import FOLDER, WRITE, InMemory, Player
from tests.fakes.house import Originals, Recorder, Running
from tests.platforms.ways import WAYS, ways_for

SCRIPTS = sorted(FOLDER.glob("*.txt"))
ABROAD = [path for path in SCRIPTS if path.stem.startswith("abroad")]
ADDED = """
[[question]]
id = "heating_paid"
section = "care"
kind = "choice"
label = "取暖补贴"
ask = "取暖补贴领到了吗？"
options = [{ id = "yes", label = "领到了" }, { id = "no", label = "还没有" }]

[[question]]
id = "visitor_signature"
"""


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Originals:
    return Originals(tmp_path_factory.mktemp("village"), keys)


@pytest.fixture(scope="module")
def changed_form(tmp_path_factory: pytest.TempPathFactory) -> Form:
    """Today's form with one question added and one answer replaced: nothing but the toml is touched."""
    path = tmp_path_factory.mktemp("forms") / "visit.toml"
    text = (FORMS / "visit.toml").read_text(encoding="utf-8")
    text = text.replace('{ id = "comfort", label = "情绪抚慰" }', '{ id = "company", label = "陪伴" }')
    path.write_text(text.replace('\n[[question]]\nid = "visitor_signature"\n', ADDED), encoding="utf-8")
    return load(path)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
async def test_a_conversation_goes_as_written(path: Path, originals: Originals, changed_form: Form) -> None:
    store, village = await originals.store()
    recorder = Recorder(abroad=path in ABROAD)
    stage = InMemory(Running(store, village, recorder), recorder)
    script = path.read_text(encoding="utf-8")
    try:
        played = await Player(stage, changed_form).play(script)
    finally:
        store.close()
    if WRITE:
        path.write_text(played, encoding="utf-8")
    assert played == path.read_text(encoding="utf-8")
    if path in ABROAD:
        said = "".join(shown.text for sent in recorder.sent.values() for shown in sent)
        assert not [name for name in ("张桂芳", "曾国富", "仇大山", "欧阳明") if name in said]


def way_of(path: Path) -> str:
    """One of the ways that can show this conversation: always the same one, and each has its share of them all."""
    fits = [name for name in ways_for(path.read_text(encoding="utf-8"), abroad=path in ABROAD)
            if path.stem not in WAYS[name].passes_over for _ in range(WAYS[name].share)]
    return fits[crc32(path.stem.encode()) % len(fits)]


@pytest.mark.parametrize(("path", "way"), [(path, way_of(path)) for path in SCRIPTS],
                         ids=lambda given: given if isinstance(given, str) else given.stem)
async def test_the_same_is_said_on_a_platform(path: Path, way: str, originals: Originals, changed_form: Form) -> None:
    script = path.read_text(encoding="utf-8")
    async with WAYS[way].opens(originals, abroad=path in ABROAD) as stage:
        played = await Player(stage, changed_form).play(script)
    alike = WAYS[way].alike
    assert alike(played) == alike(script)
