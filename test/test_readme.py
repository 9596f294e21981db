# SPDX-License-Identifier: Apache-2.0
"""The README says what is there: rules, verbs, targets, files."""

import argparse
from pathlib import Path
import re

from ami_ros.cli import main as cli
from ami_ros.critic import rules
from ami_ros.validation import evaluation_protocol as protocol

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / 'README.md').read_text()
WORDS = ' '.join(README.split())     # wherever its lines are broken


def commands() -> list[list[str]]:
    """Every ami-ros command line of the README, as words after the program's name."""
    lines = re.findall(r'^ami-ros (.+?)(?:\s+#.*)?$', README, re.M)
    assert len(lines) >= 5
    return [line.split() for line in lines]


def test_every_rule_is_there_in_the_order_they_run():
    said = re.findall(r'^\| `(\w+)` \|', README.split('## The rules of the critic')[1], re.M)
    names = list(rules.RULES)
    assert said[:len(names)] == names


def test_every_command_is_understood():
    for words in commands():
        assert cli.parser().parse_args(words).run is not None


def test_every_verb_is_named():
    verbs = next(a for a in cli.parser()._actions
                 if isinstance(a, argparse._SubParsersAction)).choices
    assert f'ami-ros {" | ".join(verbs)}' in README


def test_every_make_target_is_there():
    targets = set(re.findall(r'^(\w+):', (ROOT / 'Makefile').read_text(), re.M))
    named = set(re.findall(r'\bmake (sim|test|setup|lint|bench|kilted|colcon|clean)\b', README))
    assert {'sim', 'test', 'setup'} <= named <= targets


def test_every_folder_is_there():
    named = set(re.findall(r'^  (\w+)/ ', README, re.M))
    assert named == {path.parent.name for path in (ROOT / 'ami_ros').glob('*/__init__.py')}
    tree = README.split('ami_ros/\n')[1].split('config/')[0]
    for above, below in re.findall(r'^  (\w+)/ .*\n((?:    .*\n)+)', tree, re.M):
        for name in re.findall(r'(?:^    |  )(\w+)/  ', below, re.M):
            assert (ROOT / 'ami_ros' / above / name).is_dir(), f'{above}/{name}'


def test_it_is_said_first_what_it_is_not():
    top = README.split('\n## ')[0]
    assert '**This is not a safety device.**' in top and 'hardware emergency stop' in top
    assert len(top.split('\n')) < 45


def test_the_protocol_is_the_one_in_the_code():
    assert f'within {protocol.REACHED_M} m and 25 degrees' in WORDS
    assert f'at least {protocol.LEAST_M} m)' in WORDS
    assert f'budget is {protocol.BUDGET} K' in WORDS
    assert f'an action lasts {protocol.CONTROL_STEP_S} s' in WORDS
