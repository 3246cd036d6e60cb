"""The house rules, as code: which way imports run, how long a file may be, where sentences stand."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("storage", "scheduler", "conversations", "bot")  # each may import itself and those before it
LONGEST = 400
SENTENCE = re.compile(r"[\u4e00-\u9fff\uff00-\uffef\u3000-\u303f]{6,}")
DOORS = {  # who alone may write what moves a class or a window, or binds an account
    "set_standing": {"scheduler/casework.py"},
    "set_condition": {"scheduler/casework.py"},
    "visits.submit": {"scheduler/casework.py"},
    "visits.correct": {"scheduler/casework.py"},
    "visits.void": {"scheduler/casework.py"},
    "accounts.bind": {"conversations/binding.py", "bot/demo/__init__.py"},
}


def sources() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", sources(), ids=name)
def test_imports_run_one_way_only(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    above = ROOMS[ROOMS.index(room) + 1:]
    wrong = [module for module in imported(ast.parse(path.read_text())) if module.split(".")[0] in (*above, "tests")]
    assert not wrong, f"{name(path)} imports {wrong}"


def test_no_two_modules_import_each_other() -> None:
    graph: dict[str, set[str]] = {}
    for path in sources():
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text())
        top = ast.Module([node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], [])
        named = {f"{node.module}.{alias.name}" for node in top.body if isinstance(node, ast.ImportFrom) and node.module
                 for alias in node.names}
        graph[module] = {found for found in {*imported(top), *named} if found.split(".")[0] in ROOMS}
    done: set[str] = set()

    def walk(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, f"a circle: {' -> '.join((*above, module))}"
        if module not in done:
            for other in graph.get(module, set()) & graph.keys() - {module}:
                if not module.startswith(f"{other}."):  # a package's own door
                    walk(other, (*above, module))
            done.add(module)

    for module in graph:
        walk(module, ())


@pytest.mark.parametrize("path", sources(), ids=name)
def test_a_file_is_one_thing_of_readable_length(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("path", sources(), ids=name)
def test_no_sentence_for_users_stands_in_code(path: Path) -> None:
    tree = ast.parse(path.read_text())
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = [node.value for node in ast.walk(tree)
             if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
             and SENTENCE.search(node.value)]
    assert not found, f"{name(path)} says {found}"


@pytest.mark.parametrize("door", DOORS)
def test_guarded_writes_have_one_door(door: str) -> None:
    call = re.compile(rf"(?<!def )\b{re.escape(door)}\(")
    users = {name(path) for path in sources() if call.search(path.read_text())}
    assert users <= DOORS[door], f"{door} is called in {users - DOORS[door]}"


def test_the_top_level_is_what_the_readme_says() -> None:
    listed = {entry.name for entry in ROOT.iterdir() if (entry / "__init__.py").is_file()}
    assert listed == {*ROOMS, "tests", "bench"}


def test_no_lock_names_a_registry_and_every_package_has_hashes() -> None:
    for lock in ROOT.glob("*.lock"):
        text = lock.read_text()
        assert "://" not in text
        pinned = re.findall(r"^[a-z0-9.\[\]-]+==[^\n]+", text, re.MULTILINE)
        assert pinned
        assert all(line.endswith("\\") for line in pinned)


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = set(re.findall(r"^([a-z0-9.-]+)(?:\[[^]]*\])?==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    wanted = {re.split(r"[\[<>=; ]", dependency)[0].lower() for dependency in project["dependencies"]}
    assert wanted <= pinned, f"not in the lock: {wanted - pinned}; run the command in CONTRIBUTING"


def test_a_start_loads_nothing_that_only_some_turns_or_settings_want() -> None:
    late = "alembic", "docx", "docxtpl", "openpyxl", "psycopg", "pypinyin", "segno", "telegram", "wechatpy"
    program = f"import sys, bot.app; print([name for name in {late} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, text=True, capture_output=True, check=True)
    assert done.stdout == "[]\n"
