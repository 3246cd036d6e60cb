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
NOBODY = id_number(date(1946, 4, 2), turn=9)  # on a list, and on no ledger
LIST = xlsx([
    ["某县残联持证人员名单"],
    ["姓名", "身份证号", "残疾等级", "残疾证号", "有效期至", "是否死亡", "住址"],
    ["罗玉兰", NEW, "二级", NEW + "42", "2031-05-12", "否", "建设村2组"],
    ["何素芸", OTHER, None, None, None, "2026-03-01", "河坝村1组"],
    ["陈阿福", NOBODY, "一级", None, None, None, "河坝村3组"],
    ["郭富才", "51050219480512001", "三级", None, None, None, "河坝村1组"],
], names=["持证"])
AREAS = xlsx([["乡镇（街道）", "村（居）", "组"], ["云溪镇", "建设村", 1], [None, None, 2], [None, "新民村", 1],
              ["白塔镇", "龙井村", None]])
FILES = {
    "区划.xlsx": AREAS,
    "残联名单.xlsx": LIST,
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
