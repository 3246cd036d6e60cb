"""What annex 2 and annex 3 have in common as Word files: a template that docxtpl fills in, a copy for each keeper.

The layout and all its words are in `templates/`; code holds only ids and values.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from docxtpl import DocxTemplate
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

TEMPLATES = Path(__file__).with_name("templates")
TICKED, EMPTY = "☑", "□"

Boxes = Mapping[str, tuple[str, ...]]  # every question that has boxes, with its options in printed order

_BODY, _BEGINS, _ENDS = "word/document.xml", b"<w:body>", b"<w:sectPr"  # what of a .docx goes on in the next
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def official_keepers() -> tuple[str, ...]:
    """The keepers that the forms' own foot names, in its order, as the words to mark their copies with."""
    return tuple(tomllib.loads((TEMPLATES / "keepers.toml").read_text("utf-8"))["keepers"])


def ticked(boxes: Boxes, chosen: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """The sign of each box; a question with nothing chosen has all its boxes empty."""
    return {question: {option: TICKED if option in chosen.get(question, ()) else EMPTY for option in options}
            for question, options in boxes.items()}


def fill(template: str, values: Mapping[str, Any]) -> bytes:
    """The .docx of this name in `templates/`, filled in."""
    document = DocxTemplate(BytesIO(_template(template)))
    # The finalize of the environment makes each value literal on its way into the document.
    document.render(values, _environment())
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def fill_on(template: str, parts: Iterable[Mapping[str, Any]]) -> bytes:
    """One .docx of one filling after the other; at least one. Only one at a time is open: docxtpl takes four times as
    long for twice as much.
    """
    made, filled = BytesIO(), (ZipFile(BytesIO(fill(template, values))) for values in parts)
    first = next(filled)
    text = first.read(_BODY)
    with ZipFile(made, "w", ZIP_DEFLATED) as file:
        for name in first.namelist():
            if name != _BODY:
                file.writestr(name, first.read(name))
        with file.open(_BODY, "w") as body:
            body.write(text[:text.rindex(_ENDS)])
            for each in filled:
                more = each.read(_BODY)
                body.write(more[more.index(_BEGINS) + len(_BEGINS):more.rindex(_ENDS)])
            body.write(text[text.rindex(_ENDS):])
    return made.getvalue()


@cache
def _template(name: str) -> bytes:
    return (TEMPLATES / name).read_bytes()


@cache
def _environment() -> Environment:
    return Environment(autoescape=True, undefined=StrictUndefined, finalize=_literal)


def _literal(value: object) -> Markup:
    """The value as text that reaches the page unchanged, without what XML cannot hold.

    docxtpl turns `{_{` and `%_}` in the finished XML into template marks; as a character reference the
    underscore is not seen by it. A line break becomes the bell, which it takes for a new paragraph.
    """
    if value is None:
        return Markup("")
    lines = _NOT_IN_XML.sub("", str(value)).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Markup(str(escape("\a".join(lines))).replace("_", "&#95;"))
