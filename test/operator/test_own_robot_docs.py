# SPDX-License-Identifier: Apache-2.0
"""
Somebody with a robot that ami_ros does not know goes through own_robot.md and own_model.md.

Each command line of the pages is typed as it stands there, in order; where one would take minutes,
options are added to it. Commands that this computer has not, or that are tested elsewhere, are
left out, each with its reason. The robot is the one of foreign_robot.py.
"""

from collections import Counter
import contextlib
from pathlib import Path
import re
import shlex
import threading

from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.perception.images import codec
from ami_ros.robots.find_robot import find
from docs_page_commands import Owner, SCRIPTS, walk
from foreign_robot import BEAMS, HFOV_RAD, SCALE, SIZE
import numpy as np
import pytest
from robot_file_edits import describe
from test_teleop import Person, REPEAT_S

pytest.importorskip('pybullet', reason='needs pybullet')
pytestmark = [pytest.mark.slow, pytest.mark.skipif(
    not (SCRIPTS / 'critic').is_file(), reason='needs the commands of an installed environment')]
HERE = Path(__file__).parents[1] / 'helpers'
ROS2 = 'needs the ros2 command; the page says how it goes without'
INSTALLS = 'installs on a computer with ROS 2 packages; tools/colcon_check.sh'
A_MODULE = 'needs a module that passed its gates; test/modules/test_modules_verb.py'
MACHINES = ('rate', 'clock', 'silence', 'stands still')     # what a busy machine is to blame for
NOT_YET = ('module: fits', 'configurator: runs', 'mind: runs')


@pytest.fixture
def owner(bench, tmp_path):
    bench.processes.programs['foreign'] = [str(HERE / 'foreign_robot.py')]
    bench.hear(topics.TRUTH_POSE, topics.ODOMETRY, topics.VERDICT)
    owner = Owner(bench, tmp_path)
    yield owner
    owner.leaves()


def drivers(owner) -> None:
    """Start the robot's own drivers."""
    owner.bench.start('foreign')
    owner.bench.until(lambda: owner.bench.heard[topics.ODOMETRY.name], 'odometry of the robot')


def pose(owner) -> np.ndarray:
    """Return where the robot truly is, (3,)."""
    return convert.odometry_from(owner.bench.heard[topics.TRUTH_POSE.name][-1], 0).pose


def driven(owner, line: str, drive) -> None:
    """Sit down at `ami-ros teleop` and do something with its keys."""
    options = shlex.split(line)[2:]
    options = [str(owner.folder / word) if word.endswith('.yaml') else word for word in options]
    person = Person(owner.bench, *options)
    try:
        person.sees('no key is held')
        drive(person)
        person.type(b'q')
        assert person.leaves() == 0 and person.theirs()
    finally:
        person.close()


@contextlib.contextmanager
def held(person, key: bytes):
    """Hold a key down: it comes again and again, however busy whoever looks on is."""
    over = threading.Event()

    def repeat():
        while not over.wait(REPEAT_S):
            person.type(key)
    finger = threading.Thread(target=repeat, daemon=True)
    finger.start()
    try:
        yield
    finally:
        over.set()
        finger.join()


def first_motions(owner, person) -> None:
    """Do what the table of step 4 asks for, as far as a simulated room has it."""
    bench, said = owner.bench, []

    def hold(key, until, what):
        def heard():
            for _ in range(20):             # all that came meanwhile
                bench.executor.spin_once(timeout_sec=0.0)
            return until()
        try:
            with held(person, key):
                bench.until(heard, what)
        except AssertionError as never:     # what the critic said meanwhile is why
            said = [convert.verdict_from(msg) for msg in bench.heard[topics.VERDICT.name][-400:]]
            why = Counter(f'{v.action} {v.rule} {v.reason}'[:60] for v in said)
            raise AssertionError(f'{never}: {why.most_common(4)}; the terminal says '
                                 f'{person.look()[-700:]}') from None

    def stands():
        return abs(bench.heard[topics.ODOMETRY.name][-1].twist.twist.linear.x) < 0.005

    begun = pose(owner)
    ahead = np.array([np.cos(begun[2]), np.sin(begun[2])])
    hold(b'w', lambda: (pose(owner) - begun)[:2] @ ahead > 0.15, 'a motion ahead')
    bench.until(stands, 'wheels that stand after the key was let go')
    turned = pose(owner)[2]
    hold(b'a', lambda: np.sin(pose(owner)[2] - turned) > 0.15, 'a turn to the left')
    hold(b'd', lambda: np.sin(pose(owner)[2] - turned) < 0.02, 'a turn back')

    looked = len(bench.heard[topics.VERDICT.name])

    def stopped():
        nonlocal looked
        new = bench.heard[topics.VERDICT.name][looked:]
        looked += len(new)
        said.extend(v for v in map(convert.verdict_from, new)
                    if v.rule in ('stop_zone', 'time_to_collision') and v.action == 'stop')
        return said

    hold(b'w', stopped, 'a stop before what stands ahead')
    person.sees(said[0].rule)


def wrong(said: str) -> list[str]:
    """Return what the doctor calls wrong, but for what a busy machine does."""
    return [line for line in re.findall(r'(?m)^WRONG +(\S+: [^ ]+(?: [^ ]+)*?)(?:  |$)', said)
            if not any(word in line for word in MACHINES)]


def test_each_step_of_own_robot(owner):
    def new(line):
        owner.types(line)
        assert 'begin with' not in (owner.folder / 'my_robot' / 'README.md').read_text()

    def check(line):
        assert owner.types(line).rstrip().endswith('good')

    def explain(line):
        owner.types(line)
        describe(owner.folder)              # what the page asks for next
        said = owner.types('ami-ros robot check my_robot.yaml')
        assert said.rstrip().endswith('good') and 'Twist on cmd_vel' in said
        drivers(owner)

    def doctor(line):
        said = owner.types(line, statuses=(0, 1))
        assert f'{BEAMS} over 360 degrees' in said and 'by /foreign_base' in said
        assert f'{SIZE[0]}x{SIZE[1]} jpeg' in said
        assert f'{np.degrees(HFOV_RAD):.1f} degrees across' in said
        assert set(wrong(said)) <= set(NOT_YET), said

    def calibrate(line):
        owner.types(line, '--yes --only turn')
        turn = find(str(owner.folder / 'my_robot.yaml')).odometry_scale[1]
        assert turn == pytest.approx(SCALE[1], abs=0.02)

    def check_again(line):
        check(line)
        owner.closes('critic')              # nodes that run keep the old numbers

    def mode(line):
        said = []

        def refuses():
            said.append(owner.types(line, statuses=(0, 1)))
            return 'was made for robot rover' in said[-1]
        owner.bench.until(refuses, 'a mind that says whose module it has')

    walk('own_robot.md', [
        ('mkdir -p ~/ami_ws', INSTALLS), ('sudo apt install', INSTALLS),
        ('python3 -m pip install', INSTALLS), ('cd ~/ami_ws', INSTALLS),
        ('alias ami-ros', INSTALLS),
        ('ami-ros host', lambda line: owner.types(line, statuses=(0, 1))),
        ('ami-ros robot new my_robot', new), ('cd my_robot', owner.cd),
        ('ami-ros robot check my_robot.yaml', check), ('ami-ros safety explain', explain),
        ('ros2 topic list', ROS2), ('ros2 topic hz', ROS2), ('ros2 topic info', ROS2),
        ('ros2 run ami_ros critic', ROS2), ('critic --ros-args', owner.opens),
        ('ami-ros doctor --robot', doctor),
        ('ami-ros teleop --robot',
         lambda line: driven(owner, line, lambda person: first_motions(owner, person))),
        ('ami-ros calibrate --robot', calibrate), ('ami-ros robot check', check_again),
        ('ros2 launch ami_ros robot.launch.py', ROS2), ('critic --ros-args', owner.opens),
        ('configurator --ros-args', owner.opens), ('mind --ros-args', owner.opens),
        ('ami-ros mode', mode)])


def test_each_step_of_own_model_that_is_quick(owner):
    owner.types('ami-ros robot new my_robot')
    owner.cd('cd my_robot')
    describe(owner.folder)
    drivers(owner)
    for node in ('critic', 'configurator', 'mind'):
        owner.opens(f'{node} --ros-args --params-file params.yaml')
    typed = {}

    def record(line):
        def drive(person):
            recording = owner.folder / 'bags' / 'kitchen'
            owner.opens(f'{line} --seconds 25')
            owner.bench.until(recording.is_dir, 'a recording')
            frames = len(owner.bench.heard[topics.ODOMETRY.name])

            def ended():
                return owner.open['ami-ros'].poll() is not None
            with held(person, b'o'):        # in an arc
                owner.bench.until(ended, 'the end of the recording')
            assert len(owner.bench.heard[topics.ODOMETRY.name]) > frames
            assert owner.open.pop('ami-ros').returncode in (0, 3)
        driven(owner, typed['drive'], drive)

    def check(line):
        said = owner.types(line, statuses=(0, 1))
        assert 'be trained on' in said

    def train(line):
        said = owner.types(line, '--steps 1', statuses=(1,))
        assert re.search('no module was written|record longer', said), said

    def take(line):
        owner.types(line)
        picture = codec.from_compressed((owner.folder / 'here.png').read_bytes())
        assert picture.shape == (SIZE[1], SIZE[0], 3)

    def refused(line):
        said = owner.types(line, statuses=(1,))
        assert 'not possible' in said or 'a goal needs autonomous' in said, said

    def live(line):
        def heard():
            said = owner.types(line, '--seconds 6', statuses=(0, 1))
            return '/critic' in said and '/mind' in said
        owner.bench.until(heard, 'signs of life of critic and mind')

    walk('own_model.md', [
        ('ami-ros collect', 'test/test_docs.py types it'),
        ('ami-ros teleop --robot', lambda line: typed.update(drive=line)),
        ('ami-ros record --robot', record), ('ami-ros record --check', check),
        ('ami-ros train', train),
        ('ami-ros modules keygen', A_MODULE), ('ami-ros modules sign', A_MODULE),
        ('ami-ros modules pack', A_MODULE), ('ami-ros modules trust', A_MODULE),
        ('ami-ros modules install', A_MODULE), ('ami-ros modules activate', A_MODULE),
        ('ami-ros goal --take here.png', take), ('ami-ros mode dry_run', refused),
        ('ros2 topic echo', ROS2), ('ami-ros doctor --live', live),
        ('ami-ros goal here.png', refused), ('ami-ros mode autonomous', refused),
        ('ami-ros goal here.png --wait', refused),
        ('ami-ros goal --new-episode', owner.types)])
