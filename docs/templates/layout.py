"""What the official forms of the plan have in common: page, fonts, boxes, lines to write on, keepers, foot.

For `build_annex2.py` and `build_annex3.py` beside it.
"""

from datetime import datetime
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

TABS = (Cm(3.4), Cm(6.8))
# Around a value on a line: what stands for the empty line to write on where there is no value.
BLANK = "\u00a0\u00a0\u00a0"

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


def styles(document: Docx, size: float) -> None:
    normal = style(document, "Normal", WD_STYLE_TYPE.PARAGRAPH, "仿宋", size)
    normal.paragraph_format.space_after = normal.paragraph_format.space_before = Pt(0)
    normal.paragraph_format.line_spacing = 1.0
    style(document, "Form title", WD_STYLE_TYPE.PARAGRAPH, "宋体", 20, bold=True)
    style(document, "Label", WD_STYLE_TYPE.CHARACTER, "黑体", size)
    style(document, "Small", WD_STYLE_TYPE.CHARACTER, "仿宋", 10.5)
    # Both signs from one font, so that a ticked and an empty box have the same size.
    symbol = "Segoe UI Symbol"
    style(document, "Box", WD_STYLE_TYPE.CHARACTER, symbol, size, latin=symbol)


def put(paragraph: Paragraph, text: str, name: str | None = None, *, underline: bool = False) -> Paragraph:
    run = paragraph.add_run(text, style=name)
    run.underline = underline or None
    for node in run._r.findall(qn("w:t")):
        node.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    return paragraph


def box(paragraph: Paragraph, value: str, label: str) -> Paragraph:
    """A box of this value, a ☑ or □, and its words."""
    put(paragraph, f"{{{{ {value} }}}}", "Box")
    return put(paragraph, " " + label)


def blank(paragraph: Paragraph, value: str) -> Paragraph:
    """The value on a line to write on."""
    return put(paragraph, f"{BLANK}{{{{ {value} }}}}{BLANK}", underline=True)


def spaced(paragraph: Paragraph, stops: tuple[Length, ...] = TABS) -> Paragraph:
    for stop in stops:
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


def keeper(document: Docx) -> None:
    line = put(document.add_paragraph(), "{{ keeper }}", "Small")
    line.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    # The break stands before each copy, not after: no empty last page. At the very start it does nothing.
    line.paragraph_format.page_break_before = True


def font_table(document: Docx) -> None:
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/></w:font>' for name, other in FONTS.items()
    )
    for part in document.part.package.parts:
        if part.partname == "/word/fontTable.xml":
            part._blob = f"<w:fonts {nsdecls('w')}>{fonts}</w:fonts>".encode()


def foot(document: Docx) -> None:
    line = put(
        document.add_paragraph(),
        "备注：此表一式三份，县级民政部门、乡镇（街道）、帮扶单位（组织）各存档一份。",
        "Small",
    )
    line.paragraph_format.space_before = Pt(4)


def begin(title: str, size: float = 12) -> Docx:
    """An empty A4 document in the styles of the forms; `size` is that of its text, in points."""
    document = Document()
    styles(document, size)
    font_table(document)
    page = document.sections[0]
    page.orientation = WD_ORIENT.PORTRAIT
    page.page_width, page.page_height = Cm(21.0), Cm(29.7)
    page.left_margin = page.right_margin = Cm(2.0)
    page.top_margin, page.bottom_margin = Cm(1.6), Cm(1.5)
    page.header_distance = page.footer_distance = Cm(0.8)
    properties = document.core_properties
    properties.title, properties.author, properties.comments = title, "", ""
    properties.created = properties.modified = datetime(2023, 12, 14)
    return document
