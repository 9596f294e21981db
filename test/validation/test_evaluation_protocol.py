# SPDX-License-Identifier: Apache-2.0
"""The protocol is frozen: its numbers, its goal drives, and what its judge calls success."""

from dataclasses import asdict
import math

from ami_ros.robots.find_robot import find
from ami_ros.sim.furnished_room import draw
from ami_ros.validation import evaluation_protocol as protocol
from ami_ros.validation.evaluation_protocol import Episode, goal_drive, GoalDrive, Judge, report
import numpy as np
import pytest

pytest.importorskip('pybullet', reason='needs pybullet')
from ami_ros.sim.simulator import Truth  # noqa: E402

ROVER = find('rover')
ROOM = draw(7)
# Golden: published figures are of these drives. Another value is another benchmark.
GOLDEN = {
    (10, 500): ([0.319046961, 2.248079874, 2.768308776], [-0.367839859, 2.495569193, 3.028939925]),
    (10, 501): ([-1.636779949, -1.957264402, -2.174609442],
                [-1.935438789, -2.643166464, -2.233429324]),
    (20, 500): ([-2.058422341, -1.243561878, -1.711357712],
                [-2.346150838, -2.295202455, 0.569968934]),
    (40, 500): ([-2.549586541, 1.74450919, 2.151361219],
                [-0.734350652, 2.154499124, -1.691585583]),
}


def test_the_numbers_are_those_that_were_published():
    assert protocol.CONTROL_STEP_S == 0.25 and protocol.BUDGET == 2.5
    assert (protocol.REACHED_M, protocol.REACHED_RAD) == (0.3, math.radians(25))
    assert (protocol.REST_S, protocol.REST_MPS, protocol.LEAST_M) == (1.0, 0.02, 0.5)
    assert (protocol.SEGMENT_S, protocol.SPEEDS, protocol.TURNS) == (
        (0.5, 2.0), (-0.15, 0.6), (-1.5, 1.5))
    assert (protocol.STOP_M, protocol.PURPOSE) == (0.05, 0x6041)


@pytest.mark.parametrize('blocks, seed', GOLDEN)
def test_goal_drives_are_frozen(blocks, seed):
    start, goal = GOLDEN[blocks, seed]
    got = goal_drive(ROOM, ROVER, blocks, seed)
    # 1e-6: sines differ in their last bits between machines
    assert got.start == pytest.approx(start, abs=1e-6), 'the benchmark would be another one'
    assert got.goal == pytest.approx(goal, abs=1e-6)
    assert got.blocks == blocks


@pytest.mark.parametrize('blocks', [10, 20, 40])
def test_starts_and_goals_are_clear_and_apart(blocks):
    clear = ROVER.radius_m + protocol.STOP_M
    for seed in range(12):
        got = goal_drive(ROOM, ROVER, blocks, seed)
        assert ROOM.distance(np.array([got.start[:2], got.goal[:2]])).min() >= clear
        way = math.hypot(*(got.goal - got.start)[:2])
        assert protocol.LEAST_M <= way <= blocks * protocol.CONTROL_STEP_S * ROVER.max_speed_mps
        assert -math.pi <= got.goal[2] < math.pi


def test_no_two_purposes_or_seeds_share_a_drive():
    drives = [goal_drive(ROOM, ROVER, *asked) for asked in
              ((10, 1), (10, 2), (20, 1), (10, 1, 0x7A1))]
    assert len({d.start.tobytes() for d in drives}) == 4
    assert goal_drive(ROOM, ROVER, 10, 1).start.tobytes() == drives[0].start.tobytes()


def test_a_drive_that_does_not_fit_says_so():
    with pytest.raises(RuntimeError, match='no goal drive of 2 actions fits into world 7'):
        goal_drive(ROOM, ROVER, 2, 0)       # two actions are 0.3 m at most


# the judge

GOAL = np.array([1.0, 0.5, 3.0])


class Run:
    """Tells a judge of one episode after the other look, 0.05 s apart."""

    def __init__(self, blocks: int = 10):
        self.judge = Judge(GoalDrive(np.zeros(3), GOAL, blocks), 7)
        self.looks, self.over = 0, False

    def see(self, seconds: float, off=(0.0, 0.0, 0.0), speed=0.0, touching=False, arrived=False):
        for _ in range(round(seconds / 0.05)):
            self.looks += 1
            truth = Truth(GOAL + off, speed, touching)
            self.over = self.over or self.judge.watch(truth, arrived, self.looks / 20)
        return self

    @property
    def episode(self) -> Episode:
        return self.judge.episode()


AWAY = (0.0, 2.0, 0.0)


def test_the_budget_is_two_and_a_half_times_the_drive():
    run = Run(blocks=10).see(6.2, AWAY)
    assert not run.over
    assert run.see(0.05, AWAY).over
    assert (run.episode.steps, run.episode.duration_s) == (25, pytest.approx(6.25))
    assert not run.episode.reached and not run.episode.success and not run.episode.declared
    assert run.episode.final_distance_m == pytest.approx(2.0) and run.episode.seed == 7


@pytest.mark.parametrize('off, reached', [
    ((0.299, 0, 0), True), ((0.301, 0, 0), False), ((0, 0, math.radians(24.9)), True),
    ((0, 0, math.radians(25.1)), False), ((0, 0, -math.radians(24.9)), True),
    ((0.21, -0.21, 0.4), True), ((0.22, -0.22, 0.4), False)])
def test_reached_is_near_and_turned_alike_at_some_moment(off, reached):
    run = Run().see(1.0, AWAY).see(0.05, off).see(1.0, AWAY)
    assert run.episode.reached == reached and not run.episode.success
    assert run.episode.final_distance_m == pytest.approx(2.0)


def test_near_and_turned_must_be_at_the_same_moment():
    assert not Run().see(1, (0, 0, 1.0)).see(1, (0.5, 0, 0)).episode.reached


def test_heading_counts_the_short_way_round():
    run = Run().see(0.1, (0, 0, 2 * math.pi - 0.1))
    assert run.episode.reached and run.episode.final_yaw_error_rad == pytest.approx(0.1)


def test_declared_rest_without_a_touch_is_success():
    run = Run().see(2.0, AWAY, 0.5).see(0.95, arrived=True)
    assert not run.over
    run.see(0.1, arrived=True)
    assert run.over and run.episode.success and run.episode.reached and run.episode.declared
    assert run.episode.duration_s == pytest.approx(3.0)


def test_nobody_succeeds_by_standing_there_silently():
    run = Run().see(6.25)
    assert run.over and run.episode.reached and not run.episode.success


@pytest.mark.parametrize('disturbance', [
    {'speed': 0.03}, {'off': (0.31, 0, 0)}, {'off': (0, 0, 0.5)}])
def test_rest_is_one_second_in_one_piece(disturbance):
    run = Run().see(0.9, arrived=True).see(0.05, arrived=True, **disturbance)
    run.see(0.9, arrived=True)
    assert not run.episode.success
    assert run.see(0.1, arrived=True).episode.success


def test_slow_enough_is_rest():
    assert Run().see(1.1, speed=0.019, arrived=True).episode.success
    assert not Run().see(1.5, speed=0.021, arrived=True).episode.success


@pytest.mark.parametrize('when', ['before', 'while'])
def test_a_touch_spoils_it(when):
    run = Run().see(0.5, AWAY, touching=when == 'before')
    run.see(0.5, arrived=True).see(0.05, touching=when == 'while', arrived=True)
    run.see(2.0, arrived=True)
    assert run.over and run.episode.collisions == 1
    assert run.episode.reached and not run.episode.success


def test_every_touch_counts_once_however_long():
    run = Run().see(1.0, AWAY, touching=True).see(1.0, AWAY).see(0.05, AWAY, touching=True)
    assert run.episode.collisions == 2


def test_declared_elsewhere_ends_soon_and_in_failure():
    run = Run().see(1.0, AWAY).see(1.95, AWAY, arrived=True)
    assert not run.over
    run.see(0.1, AWAY, arrived=True)
    assert run.over and not run.episode.success and not run.episode.reached


def test_an_arrival_can_be_taken_back():
    run = Run().see(0.5, AWAY, arrived=True).see(1.0, AWAY, 0.3)
    assert not run.over and not run.episode.declared
    assert run.see(1.1, arrived=True).episode.success


def test_declared_after_the_budget_is_too_late():
    run = Run().see(6.25, AWAY)
    late = Judge(run.judge.drive, 7)
    for tick in range(126, 160):
        late.watch(Truth(GOAL, 0.0, False), True, tick * 0.05)
    assert not late.success and not late.reached


def test_declared_in_the_last_moment_may_still_rest():
    run = Run().see(6.0, AWAY, 0.3).see(1.2, arrived=True)
    assert run.episode.success and run.episode.reached and run.episode.steps > 25


# the report

def test_a_report_has_every_field():
    good = Run().see(1.1, arrived=True).episode
    bad = Run().see(6.25, AWAY, touching=True).episode
    got = report({'planner': 'x', 'goal_steps': 10}, [good, bad, bad, bad], seconds=3.0)
    assert set(got) == {'protocol', 'episodes', 'success_rate', 'reached_rate', 'collision_rate',
                        'false_arrival_rate', 'seconds'}
    assert set(got['episodes'][0]) >= {'seed', 'reached', 'success', 'steps', 'collisions',
                                       'final_distance_m', 'final_yaw_error_rad', 'duration_s'}
    assert got['episodes'] == [asdict(e) for e in (good, bad, bad, bad)]
    assert (got['success_rate'], got['reached_rate'], got['collision_rate']) == (0.25, 0.25, 0.75)
    assert got['false_arrival_rate'] == 0.0
    assert got['protocol'] == {
        'action_s': 0.25, 'budget': 2.5, 'reached_m': 0.3, 'reached_rad': math.radians(25),
        'rest_s': 1.0, 'least_m': 0.5, 'planner': 'x', 'goal_steps': 10}


def test_every_value_of_an_episode_is_plain():
    for value in asdict(Run().see(1.1, arrived=True).episode).values():
        assert type(value) in (int, float, bool)
