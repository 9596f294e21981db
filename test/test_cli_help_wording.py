# SPDX-License-Identifier: Apache-2.0
"""Every description and help text of the command line stands alone."""

import argparse
from collections.abc import Iterator

from ami_ros.cli import main as cli
from description_wording import wrong
import pytest


def texts(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """Yield the description of a parser and the help of its arguments, verbs below it included."""
    if parser.description or parser.prog.count(' ') < 2:    # deeper ones need none
        yield parser.prog, parser.description or ''
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for part in action._choices_actions:
                yield f'{parser.prog} {part.dest}', part.help or ''
            for below in action.choices.values():
                yield from texts(below)
        elif not isinstance(action, argparse._HelpAction):
            name = '/'.join(action.option_strings) or action.dest
            yield f'{parser.prog} {name}', action.help or ''


def test_every_help_text_stands_alone():
    said = list(texts(cli.parser()))
    assert len(said) > 200
    bad = [f'{where}: {text!r} {wrong(text)}' for where, text in said if wrong(text)]
    assert not bad, '\n'.join(bad)


@pytest.mark.parametrize('text', ['', 'of the robot', 'default: the shipped one', 'Or a folder',
                                  'Verify the signature and'])
def test_a_fragment_is_found(text):
    assert wrong(text)
