"""The command line as an operator types it, in this process: a start of Python for each command costs 1.4 s."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from typer.testing import CliRunner

from bot.cli import app


@dataclass(frozen=True)
class Done:
    """What a command said, and its exit code; an exception that it did not handle is raised, not kept."""

    returncode: int
    stdout: str
    stderr: str


def bot(env: Mapping[str, str], *words: object) -> Done:
    """`python -m bot WORDS` with this environment, without a terminal."""
    others = {name: None for name in os.environ if name not in env}
    result = CliRunner().invoke(app, [*map(str, words)], env={**others, **env}, catch_exceptions=False)
    return Done(result.exit_code, result.stdout, result.stderr)
