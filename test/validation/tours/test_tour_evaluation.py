# SPDX-License-Identifier: Apache-2.0
"""Evaluation with a tour: what it draws, how it judges, what it refuses, how it resumes."""

from dataclasses import replace
import json
import math

from ami_ros.cli.main import main
from ami_ros.core.types import Plan
from ami_ros.modules.module_kinds import MIND  # noqa: E402
from ami_ros.robots.find_robot import find
from ami_ros.sim import scenes
import numpy as np
import pytest

pytest.importorskip('pybullet', reason='needs pybullet')
from ami_ros.validation.tours import planners, tour_evaluation  # noqa: E402
from ami_ros.validation.tours.asked import Asked  # noqa: E402
from ami_ros.validation.tours.legs import drawn, FINDING_S, NoLeg, of_goal_drive  # noqa: E402
from ami_ros.validation.tours.places import places  # noqa: E402
from ami_ros.validation.tours.tour_report import interval  # noqa: E402
from ami_ros.validation.tours.toured_planner import LOCALISED, LOST  # noqa: E402
from ami_ros.validation.tours.ways import Ways  # noqa: E402

ROVER = find('rover')
ASKED = Asked('rooms', 60000, 1, 0.1, goal_steps=10, episodes=1)
COMMAND = ['evaluate', '--tour', '0.1', '--generator', 'rooms', '--worlds', '60000:1']


class Standing:
    """Sees, and never moves; `arrived` from the first frame on where it is told so."""

    failure = ''

    def __init__(self, arrived: bool):
        self.arrived, self.frames, self.scans, self.finished = arrived, [], [], 0
        self.located = None, LOST

    def tour(self, frame, scan):
        self.frames.append(frame)
        self.scans.append(scan)

    def finish_tour(self):
        self.finished += 1

    def begin(self, seed, picture):
        assert self.finished == 1 and picture.shape == (64, 64, 3)
        self.located = np.zeros(3), LOCALISED

    def decide(self, frame, commands):
        return Plan(np.zeros((8, 2)), 0.25, frame.stamp_ns, frame.number, frame.run, 1,
                    self.arrived)


@pytest.fixture
def standing(monkeypatch):
    """Put a planner into the table that stands; returns those that were made."""
    made = []

    def make(arrived):
        def factory(asked, module, robot, truth):
            made.append(Standing(arrived))
            return made[-1]
        return factory
    monkeypatch.setitem(planners.PLANNERS, 'still', (make(False), MIND))
    monkeypatch.setitem(planners.PLANNERS, 'hasty', (make(True), MIND))
    return made


@pytest.fixture(scope='module')
def driven():
    """Two goal drives of the oracle in one world, and what progress was told."""
    told = []
    got = tour_evaluation.evaluate(replace(ASKED, episodes=2), 1, None,
                                   lambda *step: told.append(step))
    return got, told


def test_the_oracle_succeeds_and_the_report_is_complete_json(driven):
    got, told = driven
    assert json.loads(json.dumps(got)) == got
    assert got['success_rate'] == 1.0 and got['collision_rate'] == 0.0
    assert [(row['world_seed'], done, total) for row, done, total in told] == [(60000, 1, 1)]
    assert [e['seed'] for e in got['episodes']] == [1000, 1001]
    assert got['protocol'] == got['protocol'] | {
        'generator': 'rooms', 'minutes': 0.1, 'goal_steps': 10, 'camera': 'webcam',
        'tour_camera': 'webcam', 'planner': 'oracle', 'finding_s': 0.0}
    for episode in got['episodes']:
        assert episode['localised']['share'] == 1.0 and episode['goal_error_m'] == 0.0
        assert episode['localised']['error_m']['p95'] < 1e-6 and not episode['false_arrival']
        assert episode['budget_s'] == 2.5 * 10 * 0.25
        assert set(episode['stopped_by']) == {'input_timeout'}      # no stamp counts at time 0
    assert got['stopped_by']['input_timeout'] == sum(
        episode['stopped_by']['input_timeout'] for episode in got['episodes'])
    assert got['worlds'][0]['tour_driven_m'] > 0.2 and got['decide_ms']['p50'] > 0
    assert got['measured']['kind'] == 'tours' and got['worlds_left_out'] == []


def test_the_same_evaluation_twice_gives_the_same_episodes(driven):
    assert tour_evaluation.evaluate(replace(ASKED, episodes=2))['episodes'] \
        == driven[0]['episodes']


def test_who_stands_still_fails_and_is_shown_the_tour_in_steps_of_a_quarter_second(standing):
    got = tour_evaluation.evaluate(replace(ASKED, planner='still'))
    assert got['success_rate'] == got['false_arrival_rate'] == 0.0
    assert got['episodes'][0]['duration_s'] == pytest.approx(2.5 * 10 * 0.25, abs=0.11)
    (who,) = standing
    stamps = np.array([frame.stamp_ns for frame in who.frames])
    assert len(stamps) == 24 and set(np.diff(stamps)) == {250_000_000}
    assert [frame.number for frame in who.frames] == list(range(1, 25))
    assert {scan.stamp_ns for scan in who.scans} == set(stamps)
    # it believes to be where the tour began
    assert got['localised']['share'] == 1.0 and got['localised']['error_m']['p50'] > 0.1
    assert got['episodes'][0]['goal_error_m'] is None


def test_who_declares_at_once_arrives_falsely(standing):
    got = tour_evaluation.evaluate(replace(ASKED, planner='hasty'))
    assert got['false_arrival_rate'] == 1.0 and got['success_rate'] == 0.0


def test_a_planner_that_gives_up_ends_its_leg(standing, monkeypatch):
    monkeypatch.setattr(Standing, 'failure', 'no way')
    got = tour_evaluation.evaluate(replace(ASKED, planner='still'))
    assert got['episodes'][0]['failure'] == 'no way' and got['episodes'][0]['duration_s'] < 0.2


def test_a_mission_goes_on_from_where_the_robot_stands():
    asked = replace(ASKED, goal_steps=0, legs=(8, 20), mission=2)
    got = tour_evaluation.evaluate(asked)
    one, two = got['episodes']
    assert (one['leg'], two['leg']) == (0, 1) and got['mission_success_rate'] == 1.0
    assert math.dist(one['goal'][:2], two['start'][:2]) == pytest.approx(
        one['final_distance_m'], abs=0.02)
    assert two['budget_s'] == pytest.approx(2.5 * 0.25 * two['actions'] + FINDING_S, abs=0.05)


@pytest.mark.parametrize('seed', [60000, 60001])
def test_legs_are_as_long_as_asked_between_clear_poses(seed):
    scene = scenes.draw('building', seed)
    ways = Ways(scene, ROVER, scene)
    asked = Asked('building', seed, 1, 1.0, legs=(50, 200))
    for leg in [leg for k in range(3) for leg in drawn(asked, ways, ROVER, k)]:
        assert 50 <= leg.actions <= 200 and leg.budget_s == 2.5 * leg.actions * 0.25 + 20
        # nothing is quicker than the straight line
        assert leg.actions >= np.hypot(*(leg.goal - leg.start)[:2]) / (0.6 * 0.25) - 1e-6
        for pose in (leg.start, leg.goal):
            assert scene.distance(pose[:2]) >= ROVER.radius_m + 0.05
    again = drawn(asked, ways, ROVER, 0)[0]
    assert np.array_equal(again.goal, drawn(asked, ways, ROVER, 0)[0].goal)


def test_a_way_straight_ahead_and_one_behind_have_the_length_of_their_parts():
    scene = scenes.draw('rooms', 60000)
    ways = Ways(scene, ROVER, scene)
    rng = np.random.default_rng(0)
    for _ in range(200):
        one, other = ways.draw(rng), ways.draw(rng)
        if ways.visible(one[:2], other[:2]):
            break
    far = float(np.hypot(*(other - one)[:2]))
    ahead = math.atan2(*(other - one)[1::-1])
    one[2] = other[2] = ahead
    assert ways.actions(one, other) == pytest.approx(far / 0.6 / 0.25)
    one[2] = ahead + math.pi
    assert ways.actions(one, other) == pytest.approx((far / 0.6 + math.pi / 1.5) / 0.25)


def test_a_room_without_such_a_leg_is_left_out(capsys):
    scene = scenes.draw('rooms', 60000)
    ways = Ways(scene, ROVER, scene)
    with pytest.raises(NoLeg, match='no leg of 900 to 999 actions'):
        drawn(Asked('rooms', 60000, 1, 1.0, legs=(900, 999)), ways, ROVER, 0)
    with pytest.raises(NoLeg, match='no goal drive of 1 actions'):
        of_goal_drive(1, ways, ROVER, 0)
    for words, why in ((['--legs', '900:999'], 'world 60000 has no leg of 900 to 999 actions'),
                       (['--changes', 'doors:1'], 'scene rooms 60000 has 0 doors')):
        assert main([*COMMAND, *words]) == 1
        assert f'no world can be driven: {why}' in capsys.readouterr().err


def test_changes_come_after_the_tour_and_the_light_of_a_camera_is_not_in_goal_pictures():
    asked = replace(ASKED, changes='moved:1,person:1', camera='evening', tour_camera='webcam')
    where = places(asked, 60000)
    assert where.toured == scenes.draw('rooms', 60000) and not where.same
    assert where.driven.people and not where.pictured.people
    assert where.driven.furniture == where.pictured.furniture != where.toured.furniture
    assert where.driven.lighting != where.pictured.lighting == where.toured.lighting
    assert places(ASKED, 60000).same


def test_an_interrupted_run_resumes(tmp_path, monkeypatch, driven):
    ledger, asked, drove = tmp_path / 'r.rows', replace(ASKED, episodes=2, worlds=2), []
    row = driven[1][0][0]

    def world(asked, seed):
        if seed == 60001 and drove == [60000]:
            drove.append(0)
            raise KeyboardInterrupt
        drove.append(seed)
        return {**row, 'world_seed': seed}
    monkeypatch.setattr(tour_evaluation, 'world', world)
    with pytest.raises(KeyboardInterrupt):
        tour_evaluation.evaluate(asked, 1, ledger)
    got = tour_evaluation.evaluate(asked, 1, ledger)
    assert drove == [60000, 0, 60001] and [w['world_seed'] for w in got['worlds']] == [
        60000, 60001]
    assert got['episodes'] == driven[0]['episodes'] * 2
    assert tour_evaluation.evaluate(asked, 1, ledger) == got and len(drove) == 3
    tour_evaluation.evaluate(replace(asked, seed=1), 1, ledger)     # something else was asked for
    assert len(drove) == 5


def test_intervals_are_by_world():
    assert interval([(3, 5)]) is None
    low, high = interval([(5, 5), (0, 5)] * 20)
    assert 0.25 < low < 0.4 < 0.6 < high < 0.75 and interval([(5, 5), (0, 5)] * 20) == [low, high]
    assert interval([(2, 4)] * 40) == [0.5, 0.5]


@pytest.mark.parametrize('words, complaint', [
    (['--worlds', '66000:1'], 'world seeds 66000 to 66000 cannot be used: they must be from 60000 '
     'to 65999 or from 100000 to 100999; 66000 to 99999 are reserved for tests by others'),
    (['--worlds', '20000:2'], '20000 to 59999 are for training'),
    (['--worlds', '65999:2'], 'reserved for tests by others'),
    (['--worlds', '7:1'], 'world seeds 7 to 7 cannot be used'),
    (['--worlds', '60000'], "'60000' is not two whole numbers like 50:200"),
    (['--worlds', '60000:0'], '0 worlds'),
    (['--generator', 'castle'], "no generator 'castle'; there are: room, rooms"),
    (['--planner', 'retrieval'], "no planner 'retrieval' can be toured; there are: oracle"),
    (['--camera', 'fog'], "no camera 'fog'"),
    (['--changes', 'moved:7'], "change 'moved:7'"),
    (['--engine', 'steam'], "no engine 'steam'"),
    (['--legs', '9:3'], 'legs of 9 to 3 actions'),
    (['--legs', '5:9', '--goal-steps', '3'], '--goal-steps cannot be used with --legs'),
    (['--tour', '0'], "'0' is not a number of minutes above 0"),
    (['--tour', '1e9'], 'up to 600 minutes'),
    (['--episodes', '3'], '--episodes cannot be used with --tour; use --episodes-per-world'),
    (['--carried'], '--carried cannot be used with --tour'),
])
def test_bad_input_is_refused_in_one_sentence(words, complaint, capsys):
    try:
        status = main([*COMMAND, *words])
    except SystemExit as left:
        status = left.code
    said = capsys.readouterr().err
    assert status == 1 and complaint in said and said.count('\n') == 1


@pytest.mark.parametrize('words, complaint', [
    (['--legs', '5:9'], '--legs is an option of an evaluation with a tour; give --tour MINUTES'),
    (['--tour', '1', '--generator', 'rooms'], '--tour needs --worlds'),
])
def test_an_option_without_its_tour_is_refused(words, complaint, capsys):
    assert main(['evaluate', *words]) == 1
    assert complaint in capsys.readouterr().err


def test_the_command_line_writes_the_report(tmp_path, capsys, standing):
    path = tmp_path / 'runs' / 'tour.json'
    assert main([*COMMAND, '--goal-steps', '10', '--episodes-per-world', '1', '--report',
                 str(path)]) == 0
    got = json.loads(path.read_text())
    assert got['protocol']['episodes'] == 1 and got['success_rate'] == 1.0
    assert not path.with_suffix('.rows').exists()
    assert 'oracle: 1 legs in 1 worlds' in capsys.readouterr().out
