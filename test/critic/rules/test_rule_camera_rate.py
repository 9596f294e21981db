# SPDX-License-Identifier: Apache-2.0
"""A camera that gives a picture a second is no camera of ten."""

from ami_ros.core.types import CameraArrivals
from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.camera_rate import CameraRate
import numpy as np
import pytest
from rule_contract import command, memory, ns, RuleContract, situation, STEADY


class TestRate(RuleContract):

    rule = CameraRate(0.5, 1.0, (('camera', 10.0), ('left', 4.0)))

    def after(self, *seconds, name='camera', more=()):
        """Say at how many seconds ago pictures came."""
        came = tuple(STEADY - ns(ago) for ago in sorted(seconds, reverse=True))
        past = memory(cameras=(CameraArrivals('other', (), (0,)), CameraArrivals(name, (), came),
                               *more))
        return self.rule.limit(command(0.1), situation(memory=past))

    def stops(self, match, *seconds, **more):
        with pytest.raises(Stop, match=match):
            self.after(*seconds, **more)

    def test_at_the_rate_of_the_robot_file(self):
        assert self.after(*np.arange(0, 3, 0.1)).reason == ''

    @pytest.mark.parametrize('count', range(8))
    def test_half_of_them_are_enough(self, count):
        seconds = (1.0, *np.linspace(0.0, 0.9, count))
        if count >= 5:
            assert self.after(*seconds).reason == ''
        else:
            self.stops(f'{count}.0 pictures of the camera come a second, 5.0 are needed',
                       *seconds)

    @pytest.mark.parametrize(('first', 'judged'), [(0.999999999, False), (1.0, True),
                                                   (50.0, True)])
    def test_once_it_was_heard_for_a_whole_window(self, first, judged):
        if judged:
            self.stops('pictures of the camera', first)
        else:
            assert self.after(first).reason == ''

    def test_one_a_second(self):
        self.stops('1.0 pictures', 0.0, 1.0, 2.0, 3.0)
        self.stops('1.0 pictures', 0.5, 1.5, 2.5)

    def test_it_counts_by_the_window(self):
        slow = CameraRate(0.5, 2.0, (('camera', 10.0),))

        def after(count):
            came = (0, *(STEADY - ns(0.1 * i) for i in range(count, 0, -1)))
            return slow.limit(command(0.1), situation(memory=memory(
                cameras=(CameraArrivals('camera', (), came),))))
        assert after(10).reason == ''
        with pytest.raises(Stop, match='4.5 pictures of the camera come a second, 5.0 are'):
            after(9)

    def test_each_camera_by_its_own_rate(self):
        assert self.after(0.2, 0.8, 1.5, name='left').reason == ''
        self.stops('1.0 pictures of the left come a second, 2.0 are needed', 0.2, 1.5,
                   name='left')

    def test_of_one_that_never_came_nothing_is_known(self):
        assert self.after().reason == ''
