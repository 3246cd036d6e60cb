"""Draws conversations/documents/templates/annex3.docx, the empty annex 3 that docxtpl fills in.

    python docs/templates/build_annex3.py

Run it after a change of the layout. The words are those of annex 3 of the Luzhou plan of 14 December 2023.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from docx import Document
from docx.document import Document as Docx
from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_ROW_HEIGHT_RULE, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Length, Pt
from docx.table import Table, _Cell, _Row
from docx.text.paragraph import Paragraph

TARGET = Path(__file__).parents[2] / "conversations/documents/templates/annex3.docx"
COLUMNS = (Cm(2.3), Cm(2.5), Cm(3.7), Cm(8.5))
TABS = (Cm(3.4), Cm(6.8))
# Around a value on a line: what stands for the empty line to write on where there is no value.
BLANK = "\u00a0\u00a0\u00a0"

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

# What Word and LibreOffice put in where a machine has no such font.
FONTS = {
    "仿宋": "FangSong;仿宋_GB2312;STFangsong;Noto Serif CJK SC",
    "宋体": "SimSun;STSong;Noto Serif CJK SC",
    "黑体": "SimHei;STHeiti;Noto Sans CJK SC",
    "Segoe UI Symbol": "MS Gothic;Noto Sans Symbols2;DejaVu Sans",
    "Times New Roman": "Liberation Serif",
}


def style(
    document: Docx,
    name: str,
    kind: WD_STYLE_TYPE,
    font: str,
    size: float,
    *,
    latin: str = "Times New Roman",
    bold: bool = False,
) -> Any:
    made: Any = document.styles[name] if name == "Normal" else document.styles.add_style(name, kind)
    made.font.size, made.font.bold = Pt(size), bold
    made.font.name = latin
    made.element.rPr.rFonts.set(qn("w:eastAsia"), font)
    made.element.rPr.rFonts.set(qn("w:cs"), font)
    # Without the language a machine may take the Japanese shapes of the characters.
    made.element.rPr.append(parse_xml(f'<w:lang {nsdecls("w")} w:val="en-US" w:eastAsia="zh-CN"/>'))
    return made


def styles(document: Docx) -> None:
    normal = style(document, "Normal", WD_STYLE_TYPE.PARAGRAPH, "仿宋", 12)
    normal.paragraph_format.space_after = normal.paragraph_format.space_before = Pt(0)
    normal.paragraph_format.line_spacing = 1.0
    style(document, "Form title", WD_STYLE_TYPE.PARAGRAPH, "宋体", 20, bold=True)
    style(document, "Label", WD_STYLE_TYPE.CHARACTER, "黑体", 12)
    style(document, "Small", WD_STYLE_TYPE.CHARACTER, "仿宋", 10.5)
    # Both signs from one font, so that a ticked and an empty box have the same size.
    symbol = "Segoe UI Symbol"
    style(document, "Box", WD_STYLE_TYPE.CHARACTER, symbol, 12, latin=symbol)


def put(paragraph: Paragraph, text: str, name: str | None = None, *, underline: bool = False) -> Paragraph:
    run = paragraph.add_run(text, style=name)
    run.underline = underline or None
    for node in run._r.findall(qn("w:t")):
        node.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    return paragraph


def box(paragraph: Paragraph, question: str, option: str, label: str) -> Paragraph:
    put(paragraph, f"{{{{ box.{question}.{option} }}}}", "Box")
    return put(paragraph, " " + label)


def blank(paragraph: Paragraph, field: str) -> Paragraph:
    return put(paragraph, f"{BLANK}{{{{ record.{field} }}}}{BLANK}", underline=True)


def spaced(paragraph: Paragraph) -> Paragraph:
    for stop in TABS:
        paragraph.paragraph_format.tab_stops.add_tab_stop(stop)
    return paragraph


def tag(document: Docx, text: str) -> None:
    document.add_paragraph(f"{{%p {text} %}}")


def table(document: Docx, widths: tuple[Length, ...]) -> Table:
    made: Table = document.add_table(rows=0, cols=len(widths), style="Table Grid")
    made.alignment, made.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    for column, width in zip(made.columns, widths, strict=True):
        column.width = width
    return made


def row(into: Table, height: float) -> _Row:
    made: _Row = into.add_row()  # type: ignore[no-untyped-call]
    made.height, made.height_rule = Cm(height), WD_ROW_HEIGHT_RULE.AT_LEAST
    for cell, column in zip(made.cells, into.columns, strict=True):
        cell.width = column.width
        cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    return made


def label(cell: _Cell, text: str, name: str | None = None) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    put(paragraph, text, name)


def method(form: Table) -> None:
    cells = row(form, 1.45).cells
    label(cells[0].merge(cells[1]), "探访方式", "Label")
    answer = cells[2].merge(cells[3])
    line = spaced(answer.paragraphs[0])
    box(line, "method", "phone", "电话问候").add_run("\t")
    box(line, "method", "home", "上门探访").add_run("\t")
    box(line, "method", "video", "互联网音（视）频探访")
    line.paragraph_format.space_after = Pt(3)
    other = box(answer.add_paragraph(), "method", "other", "其他 ")
    blank(other, "method_other")


def family(form: Table) -> None:
    cells = row(form, 0.82).cells
    label(cells[0], "家庭状况", "Label")
    label(cells[1], "家庭人口")
    line = spaced(cells[2].merge(cells[3]).paragraphs[0])
    box(line, "family_size", "unchanged", "无变化").add_run("\t")
    put(blank(box(line, "family_size", "more", "增加 "), "family_more"), " 人").add_run("\t")
    put(blank(box(line, "family_size", "fewer", "减少 "), "family_fewer"), " 人")


def illness(answer: _Cell) -> None:
    line = spaced(answer.paragraphs[0])
    box(line, "illness", "unchanged", "无变化").add_run("\t")
    blank(put(box(line, "illness", "severe", "严重"), "  疾病名称："), "illness_name")
    line.paragraph_format.space_after = Pt(3)
    box(answer.add_paragraph(), "illness", "better", "转好")


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
                box(line, question, option, text)
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
    put(blank(put(line, "第 "), "number"), " 次开展探访关爱")
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    return line


def day(line: Paragraph) -> Paragraph:
    return put(line, "{{ record.day.year }} 年 {{ record.day.month }} 月 {{ record.day.day }} 日")


def keeper(document: Docx) -> None:
    line = put(document.add_paragraph(), "{{ keeper }}", "Small")
    line.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    # The break stands before each copy, not after: no empty last page. At the very start it does nothing.
    line.paragraph_format.page_break_before = True


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
    foot = put(
        document.add_paragraph(),
        "备注：此表一式三份，县级民政部门、乡镇（街道）、帮扶单位（组织）各存档一份。",
        "Small",
    )
    foot.paragraph_format.space_before = Pt(4)


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


def font_table(document: Docx) -> None:
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/></w:font>' for name, other in FONTS.items()
    )
    for part in document.part.package.parts:
        if part.partname == "/word/fontTable.xml":
            part._blob = f"<w:fonts {nsdecls('w')}>{fonts}</w:fonts>".encode()


def main() -> None:
    document = Document()
    styles(document)
    font_table(document)
    page = document.sections[0]
    page.orientation = WD_ORIENT.PORTRAIT
    page.page_width, page.page_height = Cm(21.0), Cm(29.7)
    page.left_margin = page.right_margin = Cm(2.0)
    page.top_margin, page.bottom_margin = Cm(1.6), Cm(1.5)
    page.header_distance = page.footer_distance = Cm(0.8)
    properties = document.core_properties
    properties.title, properties.author, properties.comments = (
        "四川省特殊困难老年人探访关爱服务记录表",
        "",
        "",
    )
    properties.created = properties.modified = datetime(2023, 12, 14)
    tag(document, "for keeper in keepers")
    copy(document)
    tag(document, "if record.additions")
    additions(document)
    tag(document, "endif")
    tag(document, "endfor")
    document.save(str(TARGET))


if __name__ == "__main__":
    main()
