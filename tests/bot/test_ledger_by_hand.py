"""`import` and `export` as an operator runs them: shown first, written after, and the same again."""

import os
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from tests.conversations.transcript import marked
from tests.fakes.by_hand import bot
from tests.fakes.ledger_files import xlsx
from tests.faults.server import clean_env

HEADER = ("乡镇", "村", "组", "姓名", "身份证号", "探访对象类型", "电话", "能力等级")
LINE = ("云溪镇", "建设村", "3组", "何秀珍", "510502194303120025", "独居", "13812345678", "轻度失能")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return clean_env() | {"TANFANG_DATA_DIR": str(tmp_path / "data"), "TANFANG_KEY_FILE": str(tmp_path / "keys.json")}


def ledger(path: Path, line: tuple[str, ...]) -> Path:
    book = Workbook()
    assert book.active is not None
    for each in (HEADER, line):
        book.active.append(each)
    book.save(path)
    return path


def test_a_ledger_is_shown_written_and_given_back_by_hand(env: dict[str, str], tmp_path: Path) -> None:
    first = ledger(tmp_path / "first.xlsx", LINE)
    refused = bot(env, "import", first, "--dry-run", "--create-areas", "--under", "江阳区")  # it would not be a dry run
    assert (refused.returncode, "--create-areas writes" in refused.stderr) == (2, True)
    assert "new 1," in bot(env, "import", first, "--create-areas", "--under", "江阳区").stdout
    second = ledger(tmp_path / "second.xlsx", (*LINE[:-2], "13900000000", "中度失能"))

    shown = bot(env, "import", second, "--dry-run").stdout
    assert "would be new 0, changed 1, the same 0" in shown
    book = load_workbook(tmp_path / "second-会改什么.xlsx")
    changes = [[cell.value for cell in row] for row in book["更改"].iter_rows(min_row=2)]
    assert [row[-2:] for row in changes] == [["轻度失能", "中度失能"], ["13812345678", "13900000000"]]
    assert {tuple(row[:3]) for row in changes} == {("建设村", 1, "何秀珍")}
    assert "different 1," in bot(env, "import", second).stdout  # nobody to ask, and no --yes: left as it is
    assert "changed 1" in bot(env, "import", second, "--dry-run").stdout

    assert bot(env, "import", second, "--yes").returncode == 0
    assert "changed 0, the same 1" in bot(env, "import", second, "--dry-run").stdout

    out = tmp_path / "out.xlsx"
    assert "nobody called 赵敏" in bot(env, "export", "ledger", "--area", "云溪镇", "--out", out, "--by", "赵敏").stderr
    bot(env, "invite", "赵敏", "--area", "云溪镇", "--role", "township")
    assert bot(env, "export", "ledger", "--area", "云溪镇", "--out", out, "--by", "赵敏").stdout == f"1 files: {out}\n"
    assert os.stat(out).st_mode & 0o077 == 0
    assert "new 0, changed 0, the same 1" in bot(env, "import", out, "--dry-run").stdout
    assert bot(env, "export", "ledger", "--area", "云溪镇", "--out", out, "--by", "赵敏").returncode == 2  # never over it


def test_another_bodys_list_is_matched_and_answered_by_hand(env: dict[str, str], tmp_path: Path) -> None:
    bot(env, "import", ledger(tmp_path / "first.xlsx", LINE), "--create-areas", "--under", "江阳区")
    path, by = tmp_path / "list.xlsx", ("--list", "--under", "云溪镇", "--by", "赵敏")
    path.write_bytes(xlsx([["姓名", "身份证号", "残疾等级"], ["何秀珍", LINE[4], "二级"], ["陌生人", "510502194604020191", "一级"]]))
    assert "nobody called 赵敏" in bot(env, "import", path, *by).stderr
    bot(env, "invite", "赵敏", "--area", "云溪镇", "--role", "township")
    assert "matched 1, differing 1, lines 1, ended 0, absent 1, unread 0" in bot(env, "import", path, *by).stdout
    differs = tmp_path / "list-名单核对.xlsx"
    assert os.stat(differs).st_mode & 0o077 == 0
    assert bot(env, "import", differs, *by).returncode == 2  # nothing is marked
    differs.write_bytes(marked(differs.read_bytes(), {1}))
    assert bot(env, "import", differs, *by).stdout == "taken 1\n"
    assert "differing 0" in bot(env, "import", path, *by, "--yes").stdout


def test_the_area_tree_is_shown_and_grown_by_hand(env: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "areas.xlsx"
    book = Workbook()
    assert book.active is not None
    for line in (("区县", "乡镇", "村", "组"), ("江阳区", "云溪镇", "建设村", 1), (None, None, "河坝村", None)):
        book.active.append(line)
    book.save(path)
    assert "areas: new 5, there before 0, faulty 0" in bot(env, "import", path, "--areas", "--dry-run").stdout
    assert "areas: new 5" in bot(env, "import", path, "--areas").stdout  # nobody to ask: adding takes nothing away
    assert "areas: new 0, there before 5" in bot(env, "import", path, "--areas", "--dry-run").stdout
    assert "areas: new 0, there before 3" in bot(env, "import", path, "--areas", "--under", "云溪镇", "--dry-run").stdout
    assert "no area called" in bot(env, "import", path, "--areas", "--under", "白塔镇").stderr
