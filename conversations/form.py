"""A form: sections of questions, read from a toml file. Adding a question touches only that file."""

import hashlib
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

from conversations import form_rows

Kind = Literal["choice", "choices", "number", "date", "text", "photo", "place", "signature", "person"]
WITH_OPTIONS = ("choice", "choices", "signature")
FORMS = Path(__file__).parent / "forms"


class FormError(Exception):
    """A form file cannot be used; the text names the question and what is wrong."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))


class Option(_Part):
    """One answer to tap: `also` are other words that mean it when typed, `warns` names a sentence to say at once.

    `clears` are questions whose answers it takes back, so that they are asked again; `ends` ends the form with it.
    """

    id: str
    label: str
    also: tuple[str, ...] = ()
    warns: str = ""
    clears: tuple[str, ...] = ()
    ends: bool = False


class AskIf(_Part):
    """The question is asked when this earlier question's answer, or this fact of the draft, is one of `is`."""

    question: str = ""
    fact: str = ""
    values: tuple[str | bool, ...] = Field(alias="is")


class Section(_Part):
    """Questions that stand together; with `one_tap`, one tap answers those of them that have an `unchanged`.

    `part` names the part of a long form that it belongs to: what was answered is kept when a part is done. With
    `rows`, its questions come up to so many times (see `form_rows`).
    """

    id: str
    title: str
    one_tap: bool = False
    also: tuple[str, ...] = ()  # names of its line in a text template
    part: str = ""
    rows: int = 0


class Question(_Part):
    """One question. `label` is the official word, `ask` what is asked, `say` the words to say to the elder.

    `{level}` in `ask` stands for the level of areas that the draft's fact `level` names.
    """

    id: str
    section: str
    kind: Kind
    label: str
    ask: str
    say: str = ""
    options: tuple[Option, ...] = ()
    ask_if: tuple[AskIf, ...] = ()  # any of them; none means always
    optional: bool = False
    quiet: bool = False  # never asked of itself: stands in the review with its default, to be changed there
    default: str = ""
    unchanged: str = ""  # the option that a section's one tap gives
    alone: str = ""  # choices: the option that goes with no other
    lookup: str = ""  # person: what the router looks up
    signer: Literal["", "visitor", "elder"] = ""  # signature: whose name, typed, confirms it (option `name`)
    least: int = 0
    most: int = 2000  # a number's range, a text's length in characters; of a birth or an ID number the age in years
    also: tuple[str, ...] = ()  # other names of its line in a text template
    reads: str = ""  # text: what it must be read as, such as `id_number` (see `readers`)
    ahead: bool = False  # date: may lie in the future, or before the registration
    check: str = ""  # what is looked up once it is answered (see `checks`)
    masked: bool = False  # what was kept before is shown by its last digits only
    unless: str = ""  # neither asked nor shown where the draft knows this fact
    secret: bool = False  # neither asked nor shown on a channel abroad (PIPL)

    @cached_property
    def rules(self) -> tuple[tuple[str, str, tuple[str | bool, ...]], ...]:
        """`ask_if` as plain tuples (question, fact, values), which a turn goes through many times."""
        return tuple((condition.question, condition.fact, condition.values) for condition in self.ask_if)

    @cached_property
    def option_ids(self) -> tuple[str, ...]:
        return tuple(option.id for option in self.options)

    def option(self, option_id: str) -> Option:
        return self.options[self.option_ids.index(option_id)]


class Form(_Part):
    """A whole form. `hash` names exactly this definition, for as long as a record of it is kept."""

    name: str
    title: str
    sections: tuple[Section, ...]
    questions: tuple[Question, ...]

    @cached_property
    def hash(self) -> str:
        return hashlib.sha256(self.definition.encode()).hexdigest()

    @cached_property
    def definition(self) -> str:
        """The form as JSON text: what is kept, and what the hash is of."""
        return orjson.dumps(self.model_dump(by_alias=True), option=orjson.OPT_SORT_KEYS).decode()

    @cached_property
    def by_id(self) -> dict[str, Question]:
        return {question.id: question for question in self.questions}

    @cached_property
    def index(self) -> dict[str, int]:
        """Where each question stands."""
        return {question.id: place for place, question in enumerate(self.questions)}

    @cached_property
    def conditional(self) -> tuple[Question, ...]:
        """The questions that are asked only under a condition."""
        return tuple(question for question in self.questions if question.ask_if)

    @cached_property
    def decisive(self) -> frozenset[str]:
        """The questions on whose answers others depend."""
        return frozenset(condition.question for question in self.conditional for condition in question.ask_if)

    @cached_property
    def opens(self) -> dict[tuple[str, str | int], tuple[str, ...]]:
        """Which questions an answer (question, value) makes to be asked."""
        found: dict[tuple[str, str | int], tuple[str, ...]] = {}
        for question in self.conditional:
            for depends_on, _, values in question.rules:
                for value in values if depends_on else ():
                    found[depends_on, value] = (*found.get((depends_on, value), ()), question.id)
        return found

    @cached_property
    def opened_by_facts(self) -> tuple[tuple[str, tuple[str | bool, ...], str], ...]:
        """Facts, their values, and the question that they make to be asked."""
        return tuple((fact, values, question.id) for question in self.conditional
                     for _, fact, values in question.rules if fact)

    @cached_property
    def asked(self) -> tuple[Question, ...]:
        """The questions that are asked of themselves."""
        return tuple(question for question in self.questions if not question.quiet)

    @cached_property
    def counted(self) -> dict[str, int]:
        """For each question, how many up to it are always asked; a person question does not count."""
        return self._counted(secret=True)

    @cached_property
    def counted_abroad(self) -> dict[str, int]:
        """The same without those that are secret."""
        return self._counted(secret=False)

    def _counted(self, *, secret: bool) -> dict[str, int]:
        count, counted = 0, {}
        for question in self.questions:
            left_out = question.quiet or question.ask_if or question.kind == "person"
            count += not (left_out or (question.secret and not secret))
            counted[question.id] = count
        return counted

    @cached_property
    def section_by_id(self) -> dict[str, Section]:
        return {section.id: section for section in self.sections}

    def in_section(self, section_id: str) -> tuple[Question, ...]:
        return tuple(question for question in self.questions if question.section == section_id)

    @model_validator(mode="after")
    def _fits_together(self) -> "Form":
        sections = {section.id for section in self.sections}
        seen: dict[str, Question] = {}
        for question in self.questions:
            where = f"{self.name}: question {question.id}"
            if question.id in seen:
                raise ValueError(f"{where} stands twice")
            if question.section not in sections:
                raise ValueError(f"{where} is in no known section: {question.section}")
            if bool(question.options) != (question.kind in WITH_OPTIONS):
                raise ValueError(f"{where} is a {question.kind}: its options do not fit that")
            for named in (question.unchanged, question.alone):
                if named and named not in question.option_ids:
                    raise ValueError(f"{where} names an option that it does not have: {named}")
            if (question.kind == "person") != bool(question.lookup):
                raise ValueError(f"{where}: a person question, and no other, names a lookup")
            if question.quiet and not (question.default or question.optional or question.lookup):
                raise ValueError(f"{where} is quiet: it must have a default or be optional")
            if (question.reads and question.kind != "text") or (question.ahead and question.kind != "date"):
                raise ValueError(f"{where} is a {question.kind}: only a text is read as, only a date is ahead")
            for condition in question.ask_if:
                if bool(condition.question) == bool(condition.fact):
                    raise ValueError(f"{where}: ask_if names a question or a fact")
                if condition.question and condition.question not in seen:
                    raise ValueError(f"{where} depends on {condition.question}, which does not stand before it")
            seen[question.id] = question
        return self


def load(path: Path) -> Form:
    """The form in a toml file. Raises FormError."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        questions: Any = form_rows.expanded(raw["section"], raw["question"])
        return Form(name=path.stem, title=raw["title"], sections=raw["section"], questions=questions)
    except (OSError, KeyError, ValueError) as error:
        raise FormError(f"{path.name}: {error}") from None


def from_definition(definition: str) -> Form:
    """The form that was kept as JSON text."""
    return Form.model_validate_json(definition)
