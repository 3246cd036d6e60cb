"""The help is divided so that every command stands in it once."""

from conversations.commands import NAMES, TOPICS


def test_every_command_that_is_not_hidden_stands_in_one_topic_of_the_help() -> None:
    listed = [name for names in TOPICS.values() for name in names]
    assert sorted(listed) == sorted(name for name, named in NAMES.items() if not named.hidden)
