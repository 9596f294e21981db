# SPDX-License-Identifier: Apache-2.0
"""Numbers set at a mind that drives are those that it plans with, from the next picture on."""

from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from fake_mind_peers import Minded, NS, PERIOD_NS, picture
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.parameter import Parameter

SET = topics.Service('mind/set_parameters_atomically', SetParametersAtomically, 'mind')


def set_at_once(bench, values):
    return bench.ask(SET, SetParametersAtomically.Request(parameters=[
        Parameter(name, value=value).to_parameter_msg() for name, value in values.items()])).result


def test_it_plans_with_what_was_set(bench):
    mind = Minded(bench)
    mind.order(picture(1000), 1)
    frames = iter(range(1000 * NS, 2000 * NS, PERIOD_NS))

    def planned():
        """Show a picture; return how late its plan starts, and the energy of the way to go."""
        stamp = next(frames)
        plan = mind.answered(stamp, None, ('odom', 'imu', 'camera'))
        said = bench.until(lambda: [values for values, ns, _ in map(
            convert.state_from, bench.heard[topics.ACTOR_STATE.name]) if ns == stamp])[0]
        return round((plan.start_ns - plan.number) / 1e9, 6), said['energy.time_to_goal']

    bench.until(lambda: mind.sense(next(frames)) or bench.heard[topics.ACTOR_STATE.name],
                'that what the actor says of a plan is heard')
    late_s, way = planned()
    assert late_s == 0.06 and way > 0
    assert set_at_once(bench,
                       {'world_model.latency_s': 0.11, 'energy.time_to_goal': 0.0}).successful
    assert planned() == (0.11, 0.0)
    refused = set_at_once(bench, {'world_model.latency_s': 0.02, 'energy.time_to_goal': -1.0})
    assert not refused.successful
    assert 'time_to_goal = -1.0 is outside 0.0 to 100.0 1/s' in refused.reason
    assert planned() == (0.11, 0.0)
    assert set_at_once(bench, {'energy.time_to_goal': 2.0}).successful
    late_s, way = planned()
    assert late_s == 0.11 and way > 0
