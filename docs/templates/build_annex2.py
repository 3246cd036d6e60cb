"""Draws conversations/documents/templates/annex2.docx, the empty annex 2 that docxtpl fills in.

    python docs/templates/build_annex2.py

Run it after a change of the layout. The words are those of annex 2 of the Luzhou plan of 14 December 2023; where the
plan's text lost the boxes before its options, they stand here as in annex 3.
"""

from pathlib import Path

from docx.document import Document as Docx
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Pt
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph
from layout import BLANK, begin, blank, box, foot, keeper, label, put, row, spaced, table, tag

TARGET = Path(__file__).parents[2] / "conversations/documents/templates/annex2.docx"
SIZE, PITCH = 10.5, 14.0  # points: in whatever fonts a machine has, the form is to fit on one page
UNIT, UNITS = Cm(0.5), 34  # rows have cells of their own widths: each is so many of these
STOPS = (Cm(3.5), Cm(7.0))
HELPERS = (
    (("party_group", "党政机关、群团组织"), ("township_village", "乡镇（街道）、村（居）民委员会")),
    (("enterprise", "企业"), ("social_organisation", "社会组织"), ("social_worker", "专业社会工作者"),
     ("volunteer", "志愿者")),
    (("other", "其他"),),
)
MEMBERS = (
    (3, "序号", "place"), (5, "姓名", "name"), (2, "性别", "sex"), (9, "公民身份号码", "id_number"),
    (4, "与户主\n关系", "relation"), (4, "健康状况", "health"), (4, "是否为\n低保对象\n/特困人员", "on_relief"),
    (3, "是否经\n常探访", "visits_often"),
)


def cells(form: Table, height: float, *units: int) -> list[_Cell]:
    """A row with cells of these widths."""
    assert sum(units) == UNITS
    single, made, place = row(form, height).cells, [], 0
    for wide in units:
        made.append(single[place].merge(single[place + wide - 1]))
        place += wide
    return made


def text(cell: _Cell, value: str) -> None:
    put(cell.paragraphs[0], f"{{{{ form.{value} }}}}")


def asked(form: Table, *pairs: tuple[int, str, int, str]) -> None:
    """A row of labels, each with its value beside it, and how wide they are."""
    row_ = cells(form, 1.1, *(wide for pair in pairs for wide in pair[::2]))
    for (_, words, _, value), title, answer in zip(pairs, row_[::2], row_[1::2], strict=True):
        label(title, words, "Label")
        text(answer, value)
        answer.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.CENTER


def yuan(paragraph: Paragraph, value: str) -> None:
    """An amount with its unit, nothing where it is not known."""
    put(paragraph, f"{{% if form.{value} is not none %}}{{{{ form.{value} }}}} 元{{% endif %}}")


def lines(cell: _Cell, count: int) -> list[Paragraph]:
    made = [cell.paragraphs[0], *(cell.add_paragraph() for _ in range(count - 1))]
    for line in made[:-1]:
        spaced(line, STOPS).paragraph_format.space_after = Pt(2)
    return made


def part(form: Table, title: str) -> None:
    (cell,) = cells(form, 0.62, UNITS)
    line = put(cell.paragraphs[0], title, "Label")
    line.paragraph_format.keep_with_next = True  # no title alone at the foot of a page


def place(line: Paragraph) -> None:
    for level, words in (("county", "县（市、区）"), ("township", "乡镇（街道）"), ("village", "村（居）")):
        put(line, f"{{{{ form.{level} or '{BLANK}' }}}}\u00a0", underline=True)
        put(line, f"{words} ")


def person(form: Table) -> None:
    part(form, "一、探访对象基本情况")
    title, answer, asks, boxes = cells(form, 1.3, 4, 22, 5, 3)
    label(title, "家庭住址", "Label")
    where, address = lines(answer, 2)
    place(where)
    put(address, "{{ form.address }}")
    label(asks, "是否居住在\n户籍所在地", "Label")
    for line, option, words in zip(lines(boxes, 2), ("yes", "no"), ("是", "否"), strict=True):
        box(line, f"form.box.at_registered_residence.{option}", words)
    asked(form, (4, "被探访人\n姓名", 4, "name"), (3, "联系\n电话", 6, "phone"),
          (3, "紧急\n联系人", 5, "emergency_name"), (3, "联系\n电话", 6, "emergency_phone"))
    kinds(form)
    title, answer = cells(form, 0.75, 4, 30)
    label(title, "能力程度", "Label")
    line = spaced(answer.paragraphs[0], (*STOPS, Cm(10.5)))
    for option, words in (("intact", "能力完好\t"), ("mild", "轻度失能\t"), ("moderate", "中度失能\t"),
                          ("severe", "重度失能")):
        box(line, f"form.box.ability.{option}", words)
    put(line, "{% if form.total %}（完全失能）{% endif %}")
    title, answer = cells(form, 0.9, 4, 30)
    label(title, "曾患病史", "Label")
    text(answer, "illnesses")
    title, boxes, source, earned, income, amount = cells(form, 1.2, 4, 12, 3, 7, 4, 4)
    label(title, "经济情况", "Label")
    poor, low = lines(boxes, 2)
    box(poor, "form.box.economic.extreme_poverty", "特困人员")
    put(box(low, "form.box.economic.minimum_living", "低保、低保边缘"),
        "{% if form.relief %}（{{ form.relief }}）{% endif %}")
    label(source, "经济\n来源", "Label")
    text(earned, "income_source")
    label(income, "月可支配\n收入", "Label")
    yuan(amount.paragraphs[0], "income")


def kinds(form: Table) -> None:
    title, answer, classes = cells(form, 2.4, 4, 23, 7)
    label(title, "对象类型", "Label")
    first, second, third, fourth = lines(answer, 4)
    for line, options in (
        (first, (("childless_alone", "孤寡老年人\t"), ("living_alone", "独居老年人\t"), ("empty_nest", "空巢老年人"))),
        (second, (("left_behind", "留守老年人\t"), ("care_dependent", "失能老年人（包括中、重）"))),
        (third, (("severely_disabled", "重残老年人（残疾证号："),)),
        (fourth, (("special_family_planning", "计划生育特殊家庭老年人"),)),
    ):
        for option, words in options:
            box(line, f"form.box.categories.{option}", words)
    put(blank(third, "form.certificate"), "）")
    for line, option, words in zip(lines(classes, 2), ("priority", "general"), ("重点对象", "一般对象"), strict=True):
        box(line, f"form.box.care_class.{option}", words)


def household(form: Table) -> None:
    part(form, "二、家庭基本情况")
    widths = [wide for wide, _, _ in MEMBERS]
    for cell, (_, words, _) in zip(cells(form, 1.5, *widths), MEMBERS, strict=True):
        label(cell, words, "Label")
        cell.paragraphs[0].paragraph_format.keep_with_next = True
    put(cells(form, 0.5, *widths)[0].paragraphs[0], "{%tr for member in form.household %}")
    for cell, (_, _, value) in zip(cells(form, 0.62, *widths), MEMBERS, strict=True):
        put(cell.paragraphs[0], f"{{{{ member.{value} }}}}").alignment = WD_ALIGN_PARAGRAPH.CENTER
    put(cells(form, 0.5, *widths)[0].paragraphs[0], "{%tr endfor %}")


def living(form: Table) -> None:
    part(form, "三、家庭生活条件")
    asked(form, (4, "饮水是否\n安全", 4, "water_safe"), (4, "生活用电\n是否安全", 4, "electricity_safe"),
          (4, "住房是否\n安全", 4, "house_safe"), (5, "家庭每月\n收入（元）", 5, "household_income"))
    titles = []
    title, answer = cells(form, 0.75, 9, 25)
    titles.append(title)
    line = spaced(answer.paragraphs[0], (Cm(7.0),))
    put(blank(box(line, "form.box.pension.receives", "有领取养老保险，每月 "), "form.pension"), " 元\t")
    box(line, "form.box.pension.none", "无养老保险")
    title, asks, answer = cells(form, 0.9, 9, 7, 18)
    titles.append(title)
    label(asks, "享受社会救助和社会福利补贴项目", "Label")
    text(answer, "assistance")
    title, asks, answer = cells(form, 0.75, 9, 7, 18)
    titles.append(title)
    label(asks, "每月补贴金额", "Label")
    yuan(answer.paragraphs[0], "assistance_amount")
    label(titles[0].merge(titles[-1]), "家庭每月领取养老保险、社会救助和社会福利补贴等情况", "Label")


def helping(form: Table) -> None:
    part(form, "四、已享受帮扶情况")
    title, answer = cells(form, 1.8, 6, 28)
    label(title, "帮扶单位\n（组织）", "Label")
    for line, options in zip(lines(answer, len(HELPERS)), HELPERS, strict=True):
        for place, (option, words) in enumerate(options):
            line.add_run("    " * bool(place))
            box(line, f"form.box.help_unit.{option}", words)
    title, answer = cells(form, 0.75, 6, 28)
    label(title, "帮扶责任人", "Label")
    text(answer, "help_person")
    (cell,) = cells(form, 2.0, UNITS)
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.TOP
    put(cell.paragraphs[0], "帮扶措施：", "Label").paragraph_format.space_before = Pt(3)
    put(cell.add_paragraph(), "{{ form.help_measures }}").paragraph_format.first_line_indent = Pt(2 * SIZE)


def day(line: Paragraph) -> None:
    put(line, "建档日期：")
    for field, words in (("year", "年"), ("month", "月"), ("day", "日")):
        put(line, f"{{% if form.day %}}{{{{ form.day.{field} }}}}{{% else %}}{BLANK}{{% endif %}} {words} ")
    line.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    line.paragraph_format.space_after = Pt(3)


def copy(document: Docx) -> None:
    keeper(document)
    put(document.add_paragraph(), "附件 2", "Label")
    title = document.add_paragraph("四川省特殊困难老年人信息登记表", style="Form title")
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    title.paragraph_format.space_after = Pt(4)
    day(document.add_paragraph())
    form = table(document, (UNIT,) * UNITS)
    # Narrow margins, since narrow cells hold numbers.
    form._tbl.tblPr.find(qn("w:tblLook")).addprevious(parse_xml(
        f'<w:tblCellMar {nsdecls("w")}><w:left w:w="57" w:type="dxa"/><w:right w:w="57" w:type="dxa"/></w:tblCellMar>'))
    person(form)
    household(form)
    living(form)
    helping(form)
    for line in form._tbl.iter(qn("w:p")):
        Paragraph(line, form).paragraph_format.line_spacing = Pt(PITCH)
    foot(document)


def main() -> None:
    document = begin("四川省特殊困难老年人信息登记表", SIZE)
    tag(document, "for form in forms")
    copy(document)
    tag(document, "endfor")
    document.save(str(TARGET))


if __name__ == "__main__":
    main()
