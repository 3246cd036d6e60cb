"""Files that people send in chat: a township's ledger, and what is none."""

from datetime import date, timedelta
from itertools import product

from tests.fakes.ledger_files import id_number, xlsx

HEADER = ["村", "组", "姓名", "身份证号", "对象类型"]
NEW = id_number(date(1948, 5, 12))
OTHER = id_number(date(1950, 7, 1), turn=3)
LEDGER = xlsx([
    HEADER,
    ["建设村", "2组", "罗玉兰", NEW, "独居"],
    ["河坝村", "1组", "何素云", OTHER, "空巢"],
    ["河坝村", "1组", "郭富才", "51050219480512001", "独居"],  # a digit is missing
])
FILES = {
    "台账.xlsx": LEDGER,
    "建设村.xlsx": xlsx([HEADER, ["建设村", "2组", "罗玉兰", NEW, "独居"]]),
    "改过.xlsx": xlsx([HEADER, ["建设村", "9组", "罗玉兰", NEW, "独居"]]),
    "照片.xlsx": b"\xff\xd8\xff\xe0 a photo that somebody called a spreadsheet",
    "坏了.xlsx": LEDGER[:200] + LEDGER[300:],
    "很大.xlsx": LEDGER,
}
SIZES = {"很大.xlsx": 21 * 1024 * 1024}  # as the platform says
_GIVEN = "国福秀英桂兰明珍淑华玉德贵清芳素云成富才"


def many(count: int, village: str = "建设村") -> bytes:
    """A ledger of so many new people in one village, 8,000 at most, each surnamed 罗."""
    named = [f"罗{''.join(given)}" for given in product(_GIVEN, repeat=3)][:count]
    return xlsx([HEADER, *(
        [village, "2组", name, id_number(date(1950, 7, 2) + timedelta(days=turn // 500), turn=turn % 500), "独居"]
        for turn, name in enumerate(named))])
