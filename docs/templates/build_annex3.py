"""Draws conversations/documents/templates/annex3.docx, the empty annex 3 that docxtpl fills in.

    python docs/templates/build_annex3.py

Run it after a change of the layout. The words are those of annex 3 of the Luzhou plan of 14 December 2023.
"""

from pathlib import Path

from docx.document import Document as Docx
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Cm, Pt
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph
from layout import begin, blank, box, foot, keeper, label, put, row, spaced, table, tag

TARGET = Path(__file__).parents[2] / "conversations/documents/templates/annex3.docx"
COLUMNS = (Cm(2.3), Cm(2.5), Cm(3.7), Cm(8.5))

CHANGE = (("unchanged", "无变化"), ("better", "较好"), ("worse", "较差"))
SAFETY = (("safe", "安全"), ("mostly_safe", "较安全"), ("unsafe", "不安全"))
CHOICES = (
    (
        "健康状况",
        (("expression", "表达能力", CHANGE), ("mobility", "行动能力", CHANGE), ("illness", "疾病状况", None)),
    ),
    ("精神状态", (("mood", "情绪状态", CHANGE),)),
    (
        "安全情况",
        (
            ("gas", "燃气安全", SAFETY),
            ("water_heating", "水暖安全", SAFETY),
            ("electricity", "用电安全", SAFETY),
        ),
    ),
    ("卫生状况", (("personal_hygiene", "个人卫生", CHANGE), ("home_hygiene", "家庭卫生", CHANGE))),
    ("居住环境", (("indoor", "室内环境", CHANGE),)),
)
TEXTS = (
    ("关爱服务情况：", "care_given"),
    ("老年人服务需求：", "needs"),
    ("实施关爱服务建议：", "suggestions"),
)

def method(form: Table) -> None:
    cells = row(form, 1.45).cells
    label(cells[0].merge(cells[1]), "探访方式", "Label")
    answer = cells[2].merge(cells[3])
    line = spaced(answer.paragraphs[0])
    box(line, "box.method.phone", "电话问候").add_run("\t")
    box(line, "box.method.home", "上门探访").add_run("\t")
    box(line, "box.method.video", "互联网音（视）频探访")
    line.paragraph_format.space_after = Pt(3)
    other = box(answer.add_paragraph(), "box.method.other", "其他 ")
    blank(other, "record.method_other")


def family(form: Table) -> None:
    cells = row(form, 0.82).cells
    label(cells[0], "家庭状况", "Label")
    label(cells[1], "家庭人口")
    line = spaced(cells[2].merge(cells[3]).paragraphs[0])
    box(line, "box.family_size.unchanged", "无变化").add_run("\t")
    put(blank(box(line, "box.family_size.more", "增加 "), "record.family_more"), " 人").add_run("\t")
    put(blank(box(line, "box.family_size.fewer", "减少 "), "record.family_fewer"), " 人")


def illness(answer: _Cell) -> None:
    line = spaced(answer.paragraphs[0])
    box(line, "box.illness.unchanged", "无变化").add_run("\t")
    blank(put(box(line, "box.illness.severe", "严重"), "  疾病名称："), "record.illness_name")
    line.paragraph_format.space_after = Pt(3)
    box(answer.add_paragraph(), "box.illness.better", "转好")


def choices(form: Table) -> None:
    for section, questions in CHOICES:
        names: list[_Cell] = []
        for question, words, options in questions:
            cells = row(form, 0.82 if options else 1.45).cells
            names.append(cells[0])
            label(cells[1], words)
            answer = cells[2].merge(cells[3])
            if options is None:
                illness(answer)
                continue
            line = spaced(answer.paragraphs[0])
            for place, (option, text) in enumerate(options):
                line.add_run("\t" * bool(place))
                box(line, f"box.{question}.{option}", text)
        label(names[0].merge(names[-1]), section, "Label")


def texts(form: Table) -> None:
    for words, field in TEXTS:
        cells = row(form, 2.65).cells
        cell = cells[0].merge(cells[3])
        cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.TOP
        put(cell.paragraphs[0], words, "Label").paragraph_format.space_before = Pt(3)
        body = put(cell.add_paragraph(), f"{{{{ record.{field} }}}}")
        body.paragraph_format.first_line_indent = Pt(24)  # two characters
        body.paragraph_format.space_after = Pt(3)


def signatures(form: Table) -> None:
    cells = row(form, 1.3).cells
    left, right = cells[0].merge(cells[2]), cells[3]
    for cell, words, field in (
        (left, "探访人员（签字）", "visitor_signature"),
        (right, "被探访人（签字）", "elder_signature"),
    ):
        put(put(cell.paragraphs[0], words, "Label"), f"  {{{{ record.{field} }}}}")
    cells = row(form, 1.0).cells
    line = put(cells[0].merge(cells[3]).paragraphs[0], "老年人服务满意度评价：", "Label")
    put(line, "{{ record.satisfaction }}")


def visit_and_day(line: Paragraph) -> Paragraph:
    put(blank(put(line, "第 "), "record.number"), " 次开展探访关爱")
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    return line


def day(line: Paragraph) -> Paragraph:
    return put(line, "{{ record.day.year }} 年 {{ record.day.month }} 月 {{ record.day.day }} 日")


def copy(document: Docx) -> None:
    keeper(document)
    put(document.add_paragraph(), "附件 3", "Label")
    title = document.add_paragraph("四川省特殊困难老年人探访关爱服务记录表", style="Form title")
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    title.paragraph_format.space_before, title.paragraph_format.space_after = Pt(4), Pt(6)
    visit_and_day(document.add_paragraph())
    date = day(document.add_paragraph())
    date.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    date.paragraph_format.space_before = date.paragraph_format.space_after = Pt(3)
    form = table(document, COLUMNS)
    method(form)
    family(form)
    choices(form)
    texts(form)
    signatures(form)
    foot(document)


def additions(document: Docx) -> None:
    keeper(document)
    title = document.add_paragraph("附记", style="Form title")
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    title.paragraph_format.space_after = Pt(6)
    line = put(visit_and_day(document.add_paragraph()), "    ")
    day(line).paragraph_format.space_after = Pt(4)
    lines = table(document, (Cm(5.0), Cm(12.0)))
    start = row(lines, 0.5)
    put(start.cells[0].paragraphs[0], "{%tr for label, text in record.additions %}")
    body = row(lines, 0.82)
    label(body.cells[0], "{{ label }}", "Label")
    put(body.cells[1].paragraphs[0], "{{ text }}")
    put(row(lines, 0.5).cells[0].paragraphs[0], "{%tr endfor %}")
    foot = put(document.add_paragraph(), "以上为本次探访所记、正表未设栏目的内容。", "Small")
    foot.paragraph_format.space_before = Pt(4)


def main() -> None:
    document = begin("四川省特殊困难老年人探访关爱服务记录表")
    tag(document, "for keeper in keepers")
    copy(document)
    tag(document, "if record.additions")
    additions(document)
    tag(document, "endif")
    tag(document, "endfor")
    document.save(str(TARGET))


if __name__ == "__main__":
    main()
