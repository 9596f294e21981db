# SPDX-License-Identifier: Apache-2.0
"""Old public names: refused with the new name, rewritten by `migrate`, used nowhere else."""

import ast
from pathlib import Path
import re

from ami_ros.cli import main as cli
from ami_ros.cli.subcommand_table import VERBS
from ami_ros.core import renamed_public_names as renamed
from ami_ros.core.settings import ActorSettings, build, EnergySettings, WorldModelSettings
from ami_ros.critic.rules import RULES
from ami_ros.critic.safety_policy.policy_loader import parse, read
from ami_ros.operator.migrate import migrate
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ('ami_ros', 'config', 'docs', 'launch', 'tools')
TEXTS = ('.py', '.md', '.yaml', '.json', '.sh', '.service', '.env', '.xml')
MAY = ('ami_ros/core/renamed_public_names.py',
       'ami_ros/modules/shipped/')     # a signed module stays as it is
# old names that are ordinary words or other things besides; these are looked for in their places
WORDS = {'policy', 'state', 'input', 'store', 'engines', 'resume', 'adapt', 'composed',
         'real_time', 'explained', 'goal_s', 'lost_s', 'stuck_s', 'stopped_s', 'trouble_s'}
DISTINCT = sorted({old.rpartition('.')[2] for old in (*renamed.PARAMETERS, *renamed.SHARED)}
                  - WORDS - {'keep', 'way', 'ground', 'refused', 'knot_s'}
                  | {'policy_file'})
DOTTED = [old for old in renamed.PARAMETERS if old.startswith(('actor.', 'energy.'))]


def texts():
    """Yield (path, text) of what is shipped to a user."""
    for path in [ROOT / 'README.md', ROOT / 'Makefile',
                 *(p for folder in FOLDERS for p in sorted((ROOT / folder).rglob('*')))]:
        name = path.relative_to(ROOT).as_posix()
        if path.is_file() and (path.suffix in TEXTS or path.name == 'Makefile') \
                and not name.startswith(MAY):
            yield name, path.read_text()


def found(pattern: str) -> list[str]:
    return [f'{name}: {m[0]}' for name, text in texts() for m in re.finditer(pattern, text)]


def parameters() -> set[str]:
    """Return every parameter of config/rover_node_parameters.yaml by its full name."""
    def walk(tree, prefix):
        for key, value in tree.items():
            if isinstance(value, dict):
                yield from walk(value, f'{prefix}{key}.')
            else:
                yield prefix + key
    said = yaml.safe_load((ROOT / 'config/rover_node_parameters.yaml').read_text())
    return {name for node in said.values() for name in walk(node['ros__parameters'], '')}


@pytest.mark.parametrize('name', DISTINCT)
def test_no_old_name_is_used(name):
    assert not found(rf'\b{name}\b')


@pytest.mark.parametrize('name', [*DOTTED, *(f'rules.{old}' for old in renamed.RULES),
                                  *renamed.TOPICS, 'config/policy/'])
def test_no_old_dotted_name_is_used(name):
    assert not found(rf'(?<![\w./]){re.escape(name)}\b(?![(])')


@pytest.mark.parametrize('verb', renamed.VERBS)
def test_no_page_types_an_old_verb(verb):
    assert not found(rf'ami-ros {verb}\b')


@pytest.mark.parametrize('option', renamed.OPTIONS)
def test_no_page_types_an_old_option(option):
    _, verbs = renamed.OPTIONS[option]
    assert not found(rf'ami-ros (?:{"|".join(verbs)})\b[^\n`]* {option}(?![\w-])')


def test_the_old_names_are_gone_and_the_new_are_there():
    assert not set(renamed.RULES) & set(RULES) and set(renamed.RULES.values()) <= set(RULES)
    assert not set(renamed.VERBS) & set(VERBS) and set(renamed.VERBS.values()) <= set(VERBS)
    names = parameters()
    assert not set(renamed.PARAMETERS) & names
    assert set(renamed.PARAMETERS.values()) <= names
    topics = {node.value for node in ast.walk(ast.parse(
        (ROOT / 'ami_ros/nodes/topics.py').read_text())) if isinstance(node, ast.Constant)}
    assert set(renamed.TOPICS.values()) <= topics


@pytest.mark.parametrize('kind, old, new', [
    (WorldModelSettings, 'sight_gain', 'latent_gain'), (ActorSettings, 'keep', 'elites_kept'),
    (EnergySettings, 'way', 'time_to_goal'), (EnergySettings, 'ground', 'map')])
def test_an_old_parameter_is_refused_with_its_new_name(kind, old, new):
    with pytest.raises(ValueError, match=f"'{old}' was renamed to '{new}'; .*ami-ros migrate"):
        build(kind, {old: 1})


def old_policy() -> str:
    """Return the rover's safety policy with the names of before."""
    text = (ROOT / 'config/safety_policy/rover.yaml').read_text()
    for old, new in {**renamed.RULES, **renamed.SHARED}.items():
        text = re.sub(rf'^  {new}:', f'  {old}:', text, flags=re.M)
    return text


def test_an_old_rule_is_refused_with_its_new_name():
    with pytest.raises(ValueError, match="'hand_deadman_s' was renamed to 'teleop_timeout_s'"):
        parse(old_policy(), 'old.yaml')
    text = old_policy().replace('hand_deadman_s', 'teleop_timeout_s')
    with pytest.raises(ValueError, match="'finite' was renamed to 'input_validity'"):
        parse(text, 'old.yaml')


@pytest.mark.parametrize('words, said', [
    (['hostile', '--hours', '1'], 'hostile was renamed to adversarial'),
    (['machine'], 'machine was renamed to host'),
    (['sim', '--need=2'], '--need was renamed to --min-successes'),
    (['calibrate', '--dry'], '--dry was renamed to --dry-run'),
    (['audit', 'show', '--state', 'x'], '--state was renamed to --state-dir')])
def test_an_old_verb_or_option_is_refused_with_its_new_name(words, said, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 1 and said in capsys.readouterr().err


def test_a_safety_policy_is_migrated_and_nothing_else_of_it_changes(tmp_path):
    path, now = tmp_path / 'p.yaml', (ROOT / 'config/safety_policy/rover.yaml').read_text()
    path.write_text(old_policy())
    before = path.read_bytes()
    lines = migrate(path, dry_run=True)
    assert path.read_bytes() == before and len(lines) > 8
    assert migrate(path) == lines
    policy = read(path)
    assert policy.hash == read(ROOT / 'config/safety_policy/rover.yaml').hash
    assert [re.sub(r' +#', ' #', line) for line in path.read_text().split('\n')] == [
        re.sub(r' +#', ' #', line) for line in now.split('\n')]
    assert migrate(path) == []


PARAMS = """# mine
/**/mind:
  ros__parameters:
    robot: rover                          # the robot
    store: '/data'                        # where
    actor.keep: 3
    world_model:
      sight_gain: 0.6                     # seen
      drift: 0.05
    energy: {way: 2.0, ground: 0.1}
/**/configurator:
  ros__parameters:
    stuck_s: 3.0
/**/critic:
  ros__parameters:
    policy: "config/policy/rover.yaml"    # numbers
/robot1/drive:
  ros__parameters: {keys: {first_s: 0.3}}
"""


def test_a_parameter_file_is_migrated(tmp_path):
    path = tmp_path / 'params.yaml'
    path.write_text(PARAMS)
    assert len(migrate(path)) == 9
    assert path.read_text() == """# mine
/**/mind:
  ros__parameters:
    robot: rover                          # the robot
    module_store_dir: '/data'             # where
    actor.elites_kept: 3
    world_model:
      latent_gain: 0.6                    # seen
      drift: 0.05
    energy: {time_to_goal: 2.0, map: 0.1}
/**/configurator:
  ros__parameters:
    processing_timeout_s: 3.0
/**/critic:
  ros__parameters:
    safety_policy: "config/safety_policy/rover.yaml"  # numbers
/robot1/teleop:
  ros__parameters: {keys: {first_s: 0.3}}
"""
    assert migrate(path) == []


def test_a_robot_file_has_no_old_names(tmp_path):
    path = tmp_path / 'r.yaml'
    path.write_text((ROOT / 'config/robots/rover.yaml').read_text())
    assert migrate(path) == []


@pytest.mark.parametrize('text, said', [
    ('a: [', 'is not YAML'), ('- 1', 'is neither a robot file'), ('a: 1', 'is neither a robot'),
    (None, 'cannot be read')])
def test_what_is_no_file_of_ours_is_refused(tmp_path, text, said):
    path = tmp_path / 'x.yaml'
    if text is not None:
        path.write_text(text)
    with pytest.raises(ValueError, match=said):
        migrate(path)


def test_the_verb_says_what_it_did(tmp_path, capsys):
    path = tmp_path / 'params.yaml'
    path.write_text(PARAMS)
    assert cli.main(['migrate', str(path)]) == 0
    assert f'{path}:5: store -> module_store_dir' in capsys.readouterr().out
    assert cli.main(['migrate', str(path)]) == 0
    assert 'no old name is used' in capsys.readouterr().out
