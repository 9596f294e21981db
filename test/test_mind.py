# SPDX-License-Identifier: Apache-2.0
"""One tick: frame > latent > belief > plan, and a drive to the goal in Flatland."""

import math

from ami_ros.core.types import Command
from ami_ros.world_model.belief_filter import executed
import numpy as np
from perfect_model_world import arc, command, frame, mind, MS, picture
import pytest


def test_a_tick_is_see_believe_plan():
    whole, parts = mind(), mind()
    goal, sent = whole.goal(picture([1, 1, 0]), 3), (command(0.3, 0.2, 0),)
    for number in (1, 2):
        shot = frame([0.03 * number, 0, 0], 100 * number, number)
        tick = whole.tick(shot, sent, goal)
        latent = parts.see(shot)
        belief = parts.believe(latent, sent)
        plan = parts.plan(belief, sent, goal)
        assert tick.latent.z.tobytes() == latent.z.tobytes() and tick.latent.frame is shot
        assert tick.belief.place.tobytes() == belief.place.tobytes()
        assert tick.plan.knots.tobytes() == plan.knots.tobytes()
        assert (tick.plan.number, tick.plan.goal) == (number, 3)


def test_a_goal_is_a_picture_as_the_encoder_sees_it():
    image = picture([1, 2, 0.5])
    goal = mind().goal(image, 7)
    assert goal.place == pytest.approx([1, 2, 0.5], abs=1e-6)
    assert goal.number == 7 and goal.image is image


@pytest.mark.parametrize('latency_s', [0.0, 0.06, 0.3])
def test_a_plan_starts_at_the_stamp_plus_latency_from_where_the_robot_will_be_then(latency_s):
    late, sent = mind(latency_s=latency_s), (command(0.4, 0.5, 950),)
    goal = late.goal(picture([2, 0, 0]), 1)
    tick = late.tick(frame([0, 0, 0], 1000), sent, goal)
    start_ns = 1000 * MS + round(latency_s * 1e9)
    assert tick.plan.start_ns == start_ns
    twist = executed(sent, 1000 * MS, start_ns)
    then = arc([0, 0, 0], twist, latency_s)
    assert tick.plan.imagined[0] == pytest.approx(arc(then, tick.plan.knots[0], 0.25), abs=1e-4)
    assert tick.belief.stamp_ns == 1000 * MS        # the belief itself is of the frame


def test_begin_forgets_belief_plan_and_goal():
    robot = mind()
    robot.tick(frame([0, 0, 0], 0), (), robot.goal(picture([1, 0, 0]), 1))
    robot.begin()
    assert robot.world_model.belief is None
    assert robot.actor.goal is None and robot.actor.plan is None


def drive(robot, start, wanted, seconds=30.0, blocked=lambda pose, twist: False):
    """Drive in Flatland, ten frames a second; return poses and the last tick."""
    goal, pose, sent, poses = robot.goal(picture(wanted), 1), np.array(start, float), (), []
    for number in range(round(seconds * 10)):
        tick = robot.tick(frame(pose, 100 * number, number), sent, goal)
        twist = np.array(tick.plan.at(100 * MS * number))
        if blocked(pose, twist):
            twist = np.zeros(2)
        sent = (*sent, Command(twist, 100 * MS * number))[-20:]
        pose = arc(pose, twist, 0.1)
        poses.append(pose)
        if tick.plan.arrived:
            break
    return np.array(poses), tick


@pytest.mark.parametrize('start, wanted', [
    ([0, 0, 0], [1.5, 0.5, 0.3]),
    ([0, 0, math.pi], [1.0, 0, 0]),
    ([0, 0, 0], [0, 0.3, 0]),           # beside it: a base that cannot drive sideways
    ([0, 0, 0], [-0.35, -0.2, 0.2]),
    ([0, 0, 0], [0.1, 0.05, 2.5]),
])
def test_it_drives_there_declares_its_arrival_and_rests(start, wanted):
    poses, tick = drive(mind(), start, wanted)
    assert tick.plan.arrived and not tick.plan.knots.any()
    assert math.hypot(*(poses[-1] - wanted)[:2]) < 0.2
    assert abs(math.remainder(poses[-1][2] - wanted[2], 2 * math.pi)) < 0.3


def test_the_same_drive_twice_is_the_same():
    one, other = (drive(mind(), [0, 0, 0], [1.0, 0.4, 1.0], seconds=3)[0] for _ in range(2))
    assert one.tobytes() == other.tobytes()


def test_refused_by_the_critic_it_does_not_insist():
    """Something that no map knows lets nobody drive on beyond x = 0.3."""
    asked = []

    def blocked(pose, twist):
        asked.append(twist[0])
        return twist[0] > 0 and pose[0] + 0.15 * math.cos(pose[2]) > 0.3

    drive(mind(), [0, 0, 0], [1.2, 0, 0], 10, blocked)
    insisting = np.array(asked[10:]) > 0.3
    assert 0 < insisting.mean() < 0.4       # it tries again now and then


def ticked(robot, goal, frames):
    """Tick over some frames; return the last tick."""
    for number in frames:
        tick = robot.tick(frame([0.03 * number, 0, 0], 100 * number, number),
                          (command(0.3, 0.0, 0),), goal)
    return tick


def test_a_mind_goes_on_where_another_was():
    """Of the same latent space: as if nobody had changed over; of another: by its own eyes."""
    first, same, other = mind(), mind(), mind()
    image = picture([1, 0, 0])
    whole = ticked(first, first.goal(image, 3), range(1, 5))
    for robot, space in ((same, True), (other, False)):
        goal = robot.goal(image, 3)
        robot.actor.set_goal(goal)
        robot.go_on_from(first, space)
        assert robot.actor.plan is first.actor.plan and robot.actor.goal is goal
        assert (robot.world_model.belief is whole.belief) == space
    went = ticked(first, first.goal(image, 3), (5,))
    again = ticked(same, same.goal(image, 3), (5,))
    assert again.belief.place.tobytes() == went.belief.place.tobytes()
    assert again.belief.surprise == went.belief.surprise
    anew = ticked(other, other.goal(image, 3), (5,))
    assert anew.belief.surprise == 1.0 and anew.plan.goal == 3
