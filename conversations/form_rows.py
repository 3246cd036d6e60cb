"""Questions that come once for each row of a list: the people of a household.

In a section with `rows = 8`, each question `member_name` becomes `member_name.1` to `member_name.8`, `{row}` in its
words the number. Its last question asks whether there is one more: a further row comes where the answer is `yes`.
Unrolled when the form is read, so the engine knows nothing of it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

Raw = dict[str, Any]
SEPARATOR = "."


def expanded(sections: Sequence[Raw], questions: Sequence[Raw]) -> list[Raw]:
    """The questions of a form file with those of each section of rows unrolled where they stand."""
    rows = {section["id"]: section["rows"] for section in sections if section.get("rows")}
    found: list[Raw] = []
    done: set[str] = set()
    for question in questions:
        section = question["section"]
        if section not in rows:
            found.append(question)
        elif section not in done:
            done.add(section)
            found += _rows([each for each in questions if each["section"] == section], rows[section])
    return found


def answered(answers: dict[str, Any], last: str, count: int) -> Iterator[int]:
    """The numbers of the rows that there are: `last` is the question that asks for one more."""
    for row in range(1, count + 1):
        yield row
        if answers.get(f"{last}{SEPARATOR}{row}") != "yes":
            return


def _rows(questions: Sequence[Raw], count: int) -> Iterator[Raw]:
    own = {question["id"] for question in questions}
    last = questions[-1]["id"]
    for row in range(1, count + 1):
        for question in questions[:-1] if row == count else questions:
            yield {**_worded(question, row), "id": f"{question['id']}{SEPARATOR}{row}",
                   "ask_if": list(_conditions(question, own, row, last))}


def _worded(question: Raw, row: int) -> Raw:
    said = {name: question[name] for name in ("label", "ask", "say") if name in question}
    return {**question, **{name: words.format(row=row, next=row + 1) for name, words in said.items()}}


def _conditions(question: Raw, own: set[str], row: int, last: str) -> Iterator[Raw]:
    for condition in question["ask_if"]:  # each has one: whether there is a list at all, or an answer of its row
        if condition.get("question") in own:
            yield {**condition, "question": f"{condition['question']}{SEPARATOR}{row}"}
        elif row == 1:
            yield condition
        else:
            yield {"question": f"{last}{SEPARATOR}{row - 1}", "is": ["yes"]}
