"""By which letters a name is found."""

import tomllib
from pathlib import Path

import pytest
from pypinyin import lazy_pinyin

import storage.initials
from storage.initials import initials

SURNAMES = tomllib.loads((Path(storage.initials.__file__).parent / "surnames.toml").read_text())


@pytest.mark.parametrize(("name", "expected"), [
    ("张桂芳", "zgf"), ("曾桂芳", "zgf"), ("单田芳", "stf"), ("仇英", "qy"), ("解珍", "xz"), ("查良镛", "zly"),
    ("任长霞", "rzx"), ("区小红", "oxh"), ("朴永男", "pyn"), ("盖叫天", "gjt"), ("覃桂英", "qgy"), ("乐嘉", "yj"),
    ("尉迟恭", "ycg"), ("万俟卨", "mqx"), ("令狐冲", "lhc"), ("欧阳修", "oyx"), ("长孙无忌", "zswj"), ("翟志刚", "zzg"),
])
def test_a_surname_is_read_as_a_surname(name: str, expected: str) -> None:
    assert initials(name) == expected


@pytest.mark.parametrize(("name", "expected"), [("小查", "xc"), ("王曾", "wc"), ("李解放", "ljf")])
def test_only_the_first_character_is_read_as_a_surname(name: str, expected: str) -> None:
    assert initials(name) == expected


@pytest.mark.parametrize(("name", "expected"), [
    ("阿依古丽·买买提", "ayglmmt"), ("Mary Li", "ml"), ("王A2", "wa2"), ("李 小明", "lxm"), ("ｚ王", "zw"),
    ("王😀b", "wb"), ("张〇", "zl"), ("", ""), ("·", ""), ("%_'", ""),
])
def test_a_name_may_hold_anything(name: str, expected: str) -> None:
    assert initials(name) == expected


def test_a_character_without_a_reading_is_left_out() -> None:
    assert initials("王\U0003134a芳") == "wf"


@pytest.mark.parametrize(("surname", "reading"), SURNAMES.items())
def test_the_list_of_surnames_holds_only_what_pypinyin_gets_wrong(surname: str, reading: str) -> None:
    assert len(surname) == 1
    assert lazy_pinyin(surname)[0][0] != reading[0]
