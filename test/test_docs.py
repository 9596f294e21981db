# SPDX-License-Identifier: Apache-2.0
"""
The pages say what is there: commands, links, names, figures; tables are in test_docs_tables.py.

Every command line of a code block and of the text is looked at, whatever page it stands on.
Lines of `ros2 launch` are compared with the launch files in test_launch_files.py.
"""

import ast
from collections.abc import Iterator
import contextlib
import functools
import importlib.util
from pathlib import Path
import re
import shlex
import shutil
from typing import NamedTuple

from ami_ros.actor import costs
from ami_ros.cli import main as cli
from ami_ros.cli.subcommand_table import VERBS
from ami_ros.critic.safety_policy.policy_loader import read
from ami_ros.operator.teleop_input import STICK
from ami_ros.robots.find_robot import find
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').rglob('*.md'))]
AMI, ROS = re.compile(r'^(?:\$ )?(ami-ros [^:\s]+(?: .*)?)$'), re.compile(r'^(?:\$ )?(ros2 .*)')
FREE = {            # of `ros2`: what names nothing of ours
    'node list', 'topic list', 'pkg prefix', 'bag record', 'param describe'}
OTHERS = {'joy', 'teleop_twist_keyboard', 'teleop_twist_joy'}       # packages
OF_ROS = {'/rosout', '/parameter_events', '/tf', '/tf_static'}
# What the pages tell a person to type is typed here where that needs no robot, in the order of
# the page. What is only parsed: why, and where a test runs it for real.
ONLY_PARSED = {
    'robustness': ('thirteen conditions', 'validation/test_robustness.py',
                   'campaign.robustness('),
    'evaluate --tour': ('tours of minutes', 'validation/tours/test_tour_evaluation.py',
                        'main([*COMMAND'),
    'sim': ('four processes over ROS', 'validation/stack/test_sim_session.py', 'session.run('),
    'mode': ('needs a robot', 'operator/test_send_goal.py', "ami('mode'"),
    'goal': ('needs a robot', 'operator/test_send_goal.py', "ami('goal'"),
    'teleop': ('needs a robot and a terminal', 'operator/test_teleop.py', "'teleop'"),
    'doctor': ('needs a robot', 'operator/test_doctor.py', "cli.main(['doctor'"),
    'calibrate': ('needs a robot that moves', 'operator/test_calibration.py', 'calibrate'),
    'record --out': ('needs a robot', 'nodes/test_record_verb.py', "'--out'"),
    'record --repair': ('needs a killed recorder', 'nodes/test_record_verb.py', "'--repair'"),
    'replay': ('needs a recorded drive', 'recording/replay/test_replay.py', "cli.main(['replay'"),
    'trace': ('needs a recorded drive', 'recording/replay/test_moment_explanation.py',
              "cli.main(['trace'"),
    'report': ('needs a recorded drive', 'recording/replay/test_html_report.py',
               "cli.main(['report'"),
    'collect --worlds': ('minutes', 'training/test_collect_worlds.py', "main(['collect'"),
    'world': ('a minute', 'test_world_verb.py', "main(['world'"),
    'train': ('half an hour', 'training/test_pipeline.py', 'pipeline.run('),
    'pretrain': ('an hour', 'training/general_model/test_pretrain.py', "main(['pretrain'"),
    'gates': ('needs a module of the bag', 'training/test_evaluate_on_bag.py', "main(['gates'"),
    'migrate': ('needs an old file', 'test_renamed_public_names.py', "cli.main(['migrate'"),
    'bench': ('minutes', 'validation/stack/test_bench.py', 'bench.main('),
    'modules': ('needs a key and a module', 'modules/test_modules_verb.py', "cli.main(['modules'"),
    'audit': ('needs the log of a critic', 'critic/audit/test_audit_log.py', "cli.main(['audit'"),
    'adversarial': ('hours', 'validation/test_adversarial.py', "'adversarial'"),
    'quantize': ('minutes, and torch', 'training/test_quantize.py', "main(['quantize'"),
    'faults': ('minutes', 'validation/stack/test_faults.py', "'faults'"),
}
SHORTER = {         # the last of an option counts
    'collect': ['--frames', '40', '--drive-seconds', '5', '--jobs', '1'],
    'evaluate': ['--module', '', '--planner', 'oracle', '--goal-steps', '10', '--episodes', '1',
                 '--seed', '500']}
STATUSES = {'host': (0, 1), 'record': (0, 1)}        # what they find is not the page's fault


class Line(NamedTuple):
    """A command line of a page."""

    page: str
    number: int
    text: str

    @property
    def words(self) -> list[str]:
        """Split it as a shell does, without a comment and without what is done to its output."""
        words = shlex.split(self.text.rstrip('\\'), comments=True)
        ends = [i for i, word in enumerate(words) if word in ('&&', '|', '&', ';', '>')]
        return words[:ends[0]] if ends else words

    @property
    def where(self) -> str:
        return f'{self.page}:{self.number}: {self.text}'


@functools.cache
def lines(in_blocks: bool = True, in_text: bool = True) -> tuple[tuple[str, int, str], ...]:
    """Return (page, number, line) of every line of a code block, and every code in the text."""
    found = []
    for page in PAGES:
        inside, text = False, page.read_text().split('\n')
        name = page.relative_to(ROOT).as_posix()
        for number, line in enumerate(text, 1):
            if line.startswith('```'):
                inside = not inside
            elif inside and in_blocks:
                found.append((name, number, line.strip()))
            elif not inside and in_text:
                # code may be broken over two lines; it is taken where it begins
                code = re.findall(r'`([^`]+)`', line + (
                    ' ' + text[number].strip() if line.count('`') % 2 else ''))
                found += [(name, number, one) for one in code]
        assert not inside, f'{name}: a code block does not end'
    return tuple(found)


def commands(pattern: re.Pattern, **which) -> Iterator[Line]:
    """Yield the command lines of a kind; a joined line goes on behind its backslash."""
    for name, number, line in lines(**which):
        if match := pattern.match(line):
            if match[1].split()[1][:1].islower():       # VERB, WHAT, ...: no command, a pattern
                yield Line(name, number, match[1])


def parsed(words: list[str]):
    """Parse as `ami-ros` would; its complaint where it would complain."""
    try:
        with contextlib.redirect_stderr(None), contextlib.redirect_stdout(None):
            return cli.parser().parse_args(words)
    except SystemExit as left:
        return left


# what is typed

def test_every_ami_ros_line_is_understood():
    said = list(commands(AMI, in_text=False))
    assert len(said) > 40
    for line in said:
        assert hasattr(parsed(line.words[1:]), 'run'), line.where
    short = [line for line in commands(AMI, in_blocks=False) if '|' not in line.text]
    assert len(short) > 20
    for line in short:          # in the text also less than a whole line: `ami-ros calibrate`
        verb, *more = line.words[1:]
        assert verb in VERBS, line.where
        for word in more:
            assert not word.startswith('--') or word in options(verb), line.where


@functools.cache
def options(verb: str) -> set[str]:
    """Return the options of a verb."""
    verbs = next(action.choices for action in cli.parser()._actions if action.choices)
    return set(verbs[verb]._option_string_actions)


def test_the_check_of_commands_can_fail():
    for text in ('ami-ros fly', 'ami-ros goal --now x.png', 'ami-ros mode asleep',
                 'ami-ros record', 'ami-ros teleop --speed fast'):
        assert isinstance(parsed(text.split()[1:]), SystemExit), text
    assert Line('', 1, "ami-ros mode idle   # it's a comment").words == ['ami-ros', 'mode', 'idle']


@functools.cache
def table(kind: str) -> dict[str, str]:
    """Return what nodes/topics.py has, name: type, without importing rclpy."""
    tree = ast.parse((ROOT / 'ami_ros' / 'nodes' / 'topics.py').read_text())
    package = {alias.name: node.module for node in ast.walk(tree)
               if isinstance(node, ast.ImportFrom) for alias in node.names}
    return {'/' + call.args[0].value.lstrip('/'):
            f'{package[call.args[1].id].replace(".", "/")}/{call.args[1].id}'
            for call in ast.walk(tree) if isinstance(call, ast.Call)
            and getattr(call.func, 'id', '') == kind}


@functools.cache
def parameters() -> dict[str, set[str]]:
    """Return the parameters of each node, of all that are started by hand too."""
    said = yaml.safe_load((ROOT / 'config' / 'rover_node_parameters.yaml').read_text())
    out = {key.rpartition('/')[2]: set(flat(value['ros__parameters']))
           for key, value in said.items()}
    out['critic'] |= set(read(ROOT / 'config/safety_policy/rover.yaml').numbers)
    out['teleop'] = {f'{prefix}.{name}' if prefix else name for prefix, kind in STICK.items()
                    for name in kind.__dataclass_fields__} | {'keys.first_s', 'keys.held_s'}
    return out


def flat(values: dict, prefix: str = '') -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f'{prefix}{key}.')
        else:
            yield f'{prefix}{key}'


def policy_numbers() -> set[str]:
    return {name.rpartition('.')[2]
            for name in read(ROOT / 'config/safety_policy/rover.yaml').numbers}


def wrong_ros(words: list[str]) -> str:
    """Say what is wrong with a line of `ros2`; '' where nothing is known to be."""
    group, verb, *rest = words[1:]
    about, names = f'{group} {verb}', [word for word in rest if not word.startswith('-')]
    nodes = set(parameters()) - {'teleop'}
    if about in FREE or group == 'launch':
        return ''
    if group == 'run':
        scripts = {'ami-ros', *re.findall(r"'(\w+)'", re.search(
            r'NODES = \((.*?)\)', (ROOT / 'setup.py').read_text(), re.S)[1])}
        return '' if verb in OTHERS or names[:1] and names[0] in scripts else 'no such executable'
    if group == 'topic' and verb in ('echo', 'hz', 'info', 'pub'):
        names = [word for word in names if not re.fullmatch(r'[\d.]+', word)]
        name, kind = f'/{names[0].lstrip("/")}', names[1] if verb == 'pub' else ''
        known = {**table('Topic'), **dict.fromkeys(OF_ROS, '')}
        if name not in known:
            return f'no topic {name}'
        return '' if kind in ('', known[name]) else f'{name} is {known[name]}'
    if about == 'service call':
        known = table('Service')
        return '' if known.get(names[0]) == names[1] else f'{names[0]} is {known.get(names[0])}'
    if group == 'param' and verb in ('set', 'get'):
        known = parameters().get(names[0].lstrip('/'), set())
        return '' if names[1] in known else f'{names[0]} has no {names[1]}'
    if group == 'lifecycle' and verb in ('get', 'set'):
        managed = nodes - {'sim', 'critic'}
        return '' if not names or names[0].lstrip('/') in managed else f'{names[0]} has no life'
    return f'nobody here knows `ros2 {about}`'


def test_every_ros2_line_names_what_is_there():
    said = [line for line in commands(ROS) if len(line.words) > 3 or line.words[1] == 'lifecycle']
    assert len(said) > 20
    wrong = [f'{line.where}\n    {what}' for line in said if (what := wrong_ros(line.words))]
    assert not wrong, '\n'.join(wrong)


@pytest.mark.parametrize('text', [
    'ros2 service call /configurator/armed std_srvs/srv/Trigger',
    'ros2 service call /configurator/arm std_srvs/srv/SetBool',
    'ros2 topic pub -r 10 /cmd_vel_manual geometry_msgs/msg/Twist x', 'ros2 topic echo /belief',
    'ros2 param set /mind actor.candidate 3', 'ros2 param set /critic actor.candidates 3',
    'ros2 lifecycle get /critic', 'ros2 run ami_ros brain', 'ros2 fly by'])
def test_the_check_of_ros2_lines_can_fail(text):
    assert wrong_ros(text.split())


def test_every_make_target_is_there():
    targets = set(re.findall(r'^(\w+):', (ROOT / 'Makefile').read_text(), re.M))
    named = [(where, line) for *where, line in lines() if re.match(r'(\$ )?make [a-z]', line)]
    assert named
    for where, line in named:
        assert line.removeprefix('$ ').split()[1] in targets, (where, line)


# what is typed without a robot

@pytest.fixture
def ami(capsys, monkeypatch, tmp_path):
    """Type a command line in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('AMI_TRACEBACK', raising=False)

    def run(words: list[str]) -> tuple[int, str]:
        try:
            status = cli.main(words)
        except SystemExit as left:
            status = left.code
        return status, ''.join(capsys.readouterr())
    return run


@pytest.mark.parametrize('page', ['docs/own_robot.md', 'docs/own_model.md', 'README.md'])
def test_what_needs_no_robot_runs_as_it_stands(ami, page, tmp_path, monkeypatch):
    for need in ('pybullet', 'mcap'):
        if importlib.util.find_spec(need) is None:
            pytest.skip(f'needs {need}: make setup')
    ran = 0
    for name, number, text in lines(in_text=False):
        if name == page and (match := re.fullmatch(r'cd (\w+)', text)):
            monkeypatch.chdir(match[1])
        if name != page or not (match := AMI.match(text)):
            continue
        words = Line(name, number, match[1]).words[1:]
        if words[0] in ONLY_PARSED or ' '.join(words[:2]) in ONLY_PARSED:
            continue
        status, said = ami([*words, *SHORTER.get(words[0], [])])
        assert status in STATUSES.get(words[0], (0,)), f'{page}:{number}: {text}\n{said}'
        assert 'Traceback' not in said
        ran += 1
        if words[0] == 'collect' and not Path('bags/kitchen').exists():
            shutil.copytree('bags/room7', 'bags/kitchen')       # what a person records next
    assert ran


def test_what_is_only_parsed_has_a_test_of_its_own():
    for verb, (_, test, proof) in ONLY_PARSED.items():
        assert proof in (ROOT / 'test' / test).read_text(), f'{test} does not run {verb}'
    assert {verb.split()[0] for verb in ONLY_PARSED} | {
        'robot', 'safety', 'host', 'collect', 'evaluate'} == set(VERBS)


# where it leads

def targets(page: Path) -> Iterator[tuple[str, Path, str]]:
    """Yield (as written, file, anchor) of each link of a page to something of ours."""
    for link in re.findall(r'\]\(([^)\s]+)\)', page.read_text()):
        if not link.startswith(('http:', 'https:', 'mailto:')):
            file, _, anchor = link.partition('#')
            yield link, (page.parent / file).resolve() if file else page, anchor


def anchors(page: Path) -> set[str]:
    """Return what the headings of a page are called in links."""
    return {re.sub(r'[^\w\- ]', '', head.lower()).replace(' ', '-')
            for head in re.findall(r'^#+ (.*)$', page.read_text(), re.M)}


def test_every_link_leads_somewhere():
    for page in PAGES:
        for link, file, anchor in targets(page):
            assert file.exists(), f'{page.relative_to(ROOT)}: {link}'
            assert not anchor or anchor in anchors(file), f'{page.relative_to(ROOT)}: {link}'


def test_every_page_is_found_from_the_readme_and_stands_in_the_index():
    seen, ahead = set(), [ROOT / 'README.md']
    while ahead:
        page = ahead.pop()
        seen.add(page)
        ahead += [file for _, file, _ in targets(page) if file.suffix == '.md'
                  and file not in seen]
    assert not set(PAGES) - seen
    index = {file for _, file, _ in targets(ROOT / 'docs' / 'README.md')}
    own = {page for page in PAGES if page.parent == ROOT / 'docs'} - {ROOT / 'docs/README.md'}
    assert not own - index


def test_every_file_that_is_named_is_there():
    rooms = '|'.join(('ami_ros', 'config', 'docs', 'tools', 'launch', 'test', 'urdf'))
    for name, number, code in lines(in_blocks=False):
        if re.fullmatch(rf'(?:{rooms})/[\w./-]*', code):
            assert (ROOT / code).exists(), f'{name}:{number}: {code}'


# what it names

def known_names() -> set[str]:
    """Return every parameter, policy number, key of a robot file, and word of a message."""
    out = set().union(*parameters().values()) | policy_numbers()
    robot = find('rover')
    out |= set(type(robot).__dataclass_fields__)
    out |= {f'age.{name}_s' for name in ('plan', 'permit', *(s.name for s in robot.sensors))}
    out |= {field for sensor in robot.sensors for field in type(sensor).__dataclass_fields__}
    return out | {f'energy.{name}' for name in costs.TERMS} | words_of_messages()


@functools.cache
def words_of_messages() -> set[str]:
    """Return every text in the code that may be a key of a message."""
    files = [*(file for room in ('nodes', 'operator', 'validation/stack', 'validation/sensor_lies',
                              'validation/fault_injection')
               for file in (ROOT / 'ami_ros' / room).rglob('*.py')),
             ROOT / 'ami_ros/configurator/configurator.py',
             ROOT / 'ami_ros/training/quality_gates.py']
    return {node.value for file in files for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_parameter_that_is_named_is_there():
    known = known_names()
    prefixes = 'actor|energy|world_model|episode|policy|rules|keys'
    units = 's|m|mps|mps2|radps|radps2|rad|hz|ms'
    for name, number, code in lines(in_blocks=False):
        code = code.partition(':')[0]
        if re.fullmatch(rf'(?:{prefixes})\.\w+|[a-z]\w*_(?:{units})', code):
            assert code in known or code.endswith('.yaml'), f'{name}:{number}: {code}'


def test_tuning_turns_what_is_there():
    rows = [line.strip('|').split('|') for line in
            (ROOT / 'docs/tuning.md').read_text().split('\n') if line.startswith('| **')]
    assert len(rows) >= 9
    known = known_names() | {name.lstrip('/') for name in table('Topic')}
    known |= {path.stem for path in (ROOT / 'ami_ros' / 'critic' / 'rules').glob('*.py')}
    for symptom, *cells in rows:
        assert len(cells) == 3, symptom
        for cell in cells[:2]:
            codes = re.findall(r'`([^`]+)`', cell)
            assert codes, f'{symptom}: names nothing to look at, or nothing to turn'
            for code in codes:
                code = code.partition(':')[0]
                assert code in known or code.split()[0] in (
                    'ami-ros', 'ros2', *VERBS), f'{symptom}: {code}'
