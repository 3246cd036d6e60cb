"""What is told of a ledger's faults: what is wrong, and what to do next."""

import tomllib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from conversations.documents.ledger_file import Unreadable
from conversations.documents.ledger_found import Fault


@cache
def _texts(table: str) -> dict[str, Template]:
    words = tomllib.loads(files("conversations.words").joinpath("ledger.toml").read_text(encoding="utf-8"))
    environment = Environment(undefined=StrictUndefined, autoescape=False)
    return {key: environment.from_string(text) for key, text in words[table].items()}


def explain(fault: Fault) -> str:
    """What is wrong and what to do next, for the importer's eyes only: it may name the cell's value."""
    return _texts("sentences")[fault.reason].render(fault.details)


def explain_unreadable(error: Unreadable) -> str:
    """Why the file as a whole was not read, and what to do next."""
    return _texts("unreadable")[error.reason].render(error.details)


def beside(fault: Fault) -> str:
    """The line of the column of reasons: which cell, what is wrong and what to do."""
    return _texts("report")["beside"].render(column=fault.column, sentence=explain(fault))
