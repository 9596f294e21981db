# SPDX-License-Identifier: Apache-2.0
"""A picture of nothing is none."""

import math

from ami_ros.core.types import CameraArrivals
from ami_ros.critic.rule_interface import Stop
from ami_ros.critic.rules.camera_image import CameraImage, cameras
from ami_ros.robots.find_robot import find
import pytest
from rule_contract import around, command, memory, RuleContract, situation, view


class TestView(RuleContract):

    rule = CameraImage(8.0, ('camera', 'left'))

    def at(self, *views, shape=(48, 64), name='camera'):
        past = memory(cameras=(CameraArrivals('other', (1, 1), ()),
                               CameraArrivals(name, shape, ())))
        return self.rule.limit(command(0.1, 0.2), situation(memory=past, views=views))

    def stops(self, match, *views, **more):
        with pytest.raises(Stop, match=match):
            self.at(*views, **more)

    @pytest.mark.parametrize('spread', around(8.0))
    def test_how_much_it_shows(self, spread):
        if spread >= 8.0:
            assert self.at(view(spread=spread)).reason == ''
        else:
            self.stops(r'picture of the camera is black or uniform: .* by (7|8)\.\d of 255, 8.0',
                       view(spread=spread))

    @pytest.mark.parametrize('spread', [math.nan, 0.0, -math.inf])
    def test_what_is_no_spread_stops(self, spread):
        self.stops('black or uniform', view(spread=spread))

    @pytest.mark.parametrize('shape', [(36, 64), (48, 63), (64, 48), (480, 640)])
    def test_the_size(self, shape):
        self.stops(f'the picture of the camera is {shape[1]} x {shape[0]}, it needs 64 x 48',
                   view(shape=shape))

    def test_a_size_that_nobody_knows_is_right(self):
        assert self.at(view(), shape=()).reason == ''
        assert self.at(view(shape=(1, 2)), name='left').reason == ''

    def test_a_compressed_picture_is_believed(self):
        assert self.at(view(shape=(), spread=None)).reason == ''

    def test_each_of_the_required_ones_and_no_other(self):
        assert self.at(view(spread=0.0, name='other', shape=(2, 2))).reason == ''
        self.stops('of the left is black', view(), view(name='left', spread=0.0))
        assert self.at().reason == ''       # that none came is the business of `input_timeout`


def test_the_cameras_of_a_robot():
    assert cameras(find('rover')) == ('camera',)
