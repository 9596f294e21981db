# SPDX-License-Identifier: Apache-2.0
"""The planners that are compared: what each knows, and that all arrive alike."""

import math

from ami_ros.core.settings import ActorSettings, EnergySettings
from ami_ros.modules.module import Module, npy
from ami_ros.robots.find_robot import find
from ami_ros.sim.furnished_room import draw
from ami_ros.validation import evaluation_protocol as protocol
from ami_ros.validation.oracle_planner import OraclePlanner, true_map
from ami_ros.validation.planners import RandomPlanner, RetrievalPlanner, WorldModelPlanner
import numpy as np
from perfect_model_world import arc, frame, LIMITS, mind, picture
import pytest

ROVER = find('rover')
ROOM = draw(7)
FAR = [2.0, 1.0, 0.5]


def decide(planner, pose, ms: int = 0, number: int = 1):
    return planner.decide(frame(pose, ms, number), ())


# the mind itself

def test_the_world_model_planner_is_a_tick_of_the_mind():
    planner, own = WorldModelPlanner(mind()), mind()
    planner.begin(1, picture(FAR))
    goal = own.goal(picture(FAR), 1)
    for number in (1, 2, 3):
        pose = [0.05 * number, 0, 0]
        assert decide(planner, pose, 100 * number, number).knots.tobytes() == own.tick(
            frame(pose, 100 * number, number), (), goal).plan.knots.tobytes()
    planner.begin(2, picture(FAR))
    assert planner.mind.world_model.belief is None and planner.mind.actor.plan is None


# those that see, believe and arrive as the mind does

def memory(drives: list[tuple[np.ndarray, np.ndarray]]) -> Module:
    """Remember drives of poses (T, 3) and actions (T, 2) as a module does."""
    poses = np.concatenate([p for p, _ in drives]).astype(np.float32)
    scale = np.abs(poses).max(0) / 127
    arrays = {'memory_latents': np.round(poses / scale).astype(np.int8),
              'memory_scale': scale.astype(np.float32),
              'memory_drive': np.repeat(np.arange(len(drives)), [len(p) for p, _ in drives]),
              'memory_action': np.concatenate([a for _, a in drives])}
    return Module(None, {}, {f'{n}.npy': npy(a) for n, a in arrays.items()})


def remembered(start, twist, length: int = 12):
    poses = [np.array(start, float)]
    for _ in range(length - 1):
        poses.append(arc(poses[-1], np.array(twist), 0.25))
    return np.array(poses), np.tile(np.array(twist, float), (length, 1))


# the last is longer than retrieval looks ahead
DRIVES = [remembered([0, 0, 0], [0.6, 0.0]), remembered([0, 0, 0], [0.5, 0.9]),
          remembered([0, 0, 0], [0.5, -0.9]), remembered([5, 5, 0], [0.3, 0.1], 40)]


@pytest.mark.parametrize('index', [0, 1, 2])
def test_retrieval_does_what_was_done_between_now_and_the_goal(index):
    planner = RetrievalPlanner(mind(), memory(DRIVES))
    planner.begin(1, picture(DRIVES[index][0][-1]))
    plan = decide(planner, [0, 0, 0])
    assert plan.knots == pytest.approx(np.tile(DRIVES[index][1][0], (len(plan.knots), 1)))
    assert not plan.arrived


def test_retrieval_looks_no_further_than_a_drive_goes():
    planner = RetrievalPlanner(mind(), memory(DRIVES))
    planner.begin(1, picture(DRIVES[1][0][6]))
    like = planner.distance(planner.goal.z)
    for row in range(len(like)):
        ahead = [like[k] + planner.HASTE * (k - row) for k in range(row + 1, len(like))
                 if planner.drive[k] == planner.drive[row] and k - row <= planner.AHEAD]
        assert planner.future[row] == pytest.approx(min(ahead, default=np.inf), rel=1e-5)
    z = np.array([0.3, 0.2, 0.1], np.float32)
    assert planner.distance(z) == pytest.approx(((planner.latents - z) ** 2).sum(1), abs=1e-3)


def test_retrieval_holds_an_action_before_it_looks_again():
    poses = DRIVES[1][0]
    counting = np.stack([0.01 * np.arange(len(poses)), np.zeros(len(poses))], 1)
    planner = RetrievalPlanner(mind(), memory([(poses, counting)]))
    planner.begin(1, picture(poses[-1]))

    def best(at: int) -> float:
        cost = ((planner.latents - poses[at]) ** 2).sum(1) + planner.future
        return counting[int(np.argmin(cost)), 0]

    done = [decide(planner, poses[at], ms).knots[0, 0] for at, ms in
            ((0, 0), (6, 100), (6, 200), (6, 300), (9, 400), (9, 500), (9, 600))]
    assert done == [best(0)] * 3 + [best(6)] * 3 + [best(9)] and best(0) < best(6) < best(9)


def test_random_drives_segments_as_goal_drives_are_made():
    planner = RandomPlanner(mind())
    planner.begin(5, picture(FAR))
    twists = np.array([decide(planner, [0, 0, 0], 100 * n, n).knots[0] for n in range(300)])
    low, high = np.array([protocol.SPEEDS, protocol.TURNS]).T
    assert np.all((twists >= low) & (twists <= high))
    changes = np.flatnonzero(np.any(np.diff(twists, axis=0) != 0, 1))
    held = np.diff(changes) * 0.1
    assert held.min() >= 0.5 - 1e-9 and held.max() <= 2.0 + 0.1 and len(held) > 10
    assert np.ptp(twists[:, 0]) > 0.4 and np.ptp(twists[:, 1]) > 1.5


def test_random_is_seeded():
    def first(seed):
        planner = RandomPlanner(mind())
        planner.begin(seed, picture(FAR))
        return decide(planner, [0, 0, 0]).knots.tobytes()
    assert first(5) == first(5) != first(6)


@pytest.mark.parametrize('make', [lambda: RandomPlanner(mind()),
                                  lambda: RetrievalPlanner(mind(), memory(DRIVES)),
                                  lambda: WorldModelPlanner(mind())])
def test_all_declare_their_arrival_alike_and_rest(make):
    planner = make()
    planner.begin(1, picture(FAR))
    assert not decide(planner, [0, 0, 0], 0, 1).arrived
    plan = decide(planner, FAR, 5000, 2)
    assert plan.arrived and not plan.knots.any()
    planner.begin(2, picture([0, 0, 0]))
    assert not decide(planner, FAR, 5100, 3).arrived        # the next goal is another one


# the oracle

def test_the_true_map_is_dear_where_the_rover_does_not_fit():
    ground = true_map(ROOM)
    for seed in range(5):
        drive = protocol.goal_drive(ROOM, ROVER, 10, seed)
        assert ground.dear(drive.goal) < 8
    piece = ROOM.pieces[0]
    assert ground.dear(np.array([piece.x_m, piece.y_m])) == pytest.approx(19)
    assert ground.cost.shape == (61, 61) and ground.cost.min() == 1.0


def test_the_oracle_plans_from_the_true_pose_to_the_true_goal():
    drive = protocol.goal_drive(ROOM, ROVER, 10, 500)
    here = drive.start.copy()
    planner = OraclePlanner(ROOM, ROVER, ActorSettings(), EnergySettings(), lambda: here)
    planner.goal_pose = drive.goal
    planner.begin(500, np.zeros((64, 64, 3), np.uint8))
    for number in range(80):
        plan = decide(planner, [9, 9, 9], 100 * number, number)     # a picture tells it nothing
        if plan.arrived:
            break
        here = arc(here, np.clip(plan.knots[0], -np.array(LIMITS), LIMITS), 0.1)
    assert plan.arrived and math.hypot(*(here - drive.goal)[:2]) < 0.2
