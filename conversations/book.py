"""The forms in use, and those that old records were made with."""

from collections.abc import Iterable
from pathlib import Path

from conversations.form import FORMS, Form, from_definition, load


class FormBook:
    """Forms by name (today's) and by hash (any that a record or draft speaks of)."""

    def __init__(self, current: Iterable[Form], earlier: Iterable[Form] = ()) -> None:
        self.current = {form.name: form for form in current}
        self._by_hash = {form.hash: form for form in (*earlier, *self.current.values())}

    def form(self, form_hash: str) -> Form:
        """The form of this hash; KeyError where it was never loaded."""
        return self._by_hash[form_hash]

    def learn(self, definition: str) -> Form:
        """Adds a kept definition, and gives the form."""
        form = from_definition(definition)
        self._by_hash[form.hash] = form
        return form


def from_folder(folder: Path = FORMS) -> FormBook:
    """The book of the form files in a folder. Raises FormError."""
    return FormBook(load(path) for path in sorted(folder.glob("*.toml")))
