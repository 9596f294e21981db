# SPDX-License-Identifier: Apache-2.0
"""Heat: what slows the processors down is named, what only looks like it is not."""

import math
import os
import time

from ami_ros.host.thermal_throttling import thermal, Thermometer
from fake_machine_roots import orin, put, raspberry, thor, x86, zone
import pytest


@pytest.mark.parametrize('make, hottest, where', [
    (orin, 51.0, 'cpu-thermal'), (thor, 44.0, 'cpu-thermal'), (raspberry, 48.0, 'cpu-thermal'),
    (x86, 61.0, 'x86_pkg_temp')])
def test_a_cool_machine_is_not_slowed_down(tmp_path, make, hottest, where):
    heat = thermal(make(tmp_path))
    assert not heat.throttled and heat.hottest_c == hottest
    assert heat.text == f'{where} is the hottest with {hottest:.0f} degrees C'


@pytest.mark.parametrize('make, name, value, said', [
    (orin, 'sys/class/thermal/cooling_device4/cur_state', 1, 'cpu-throttle-alert is at 1'),
    (orin, 'sys/class/thermal/cooling_device2/cur_state', 3, 'devfreq-17000000.gpu is at 3'),
    (orin, 'sys/class/thermal/thermal_zone0/temp', 99_000, 'cpu-thermal is at 99 of 99'),
    (thor, 'sys/class/thermal/cooling_device2/cur_state', 1, 'soc012-throttle-alert is at 1'),
    (raspberry, 'sys/devices/platform/soc/soc:firmware/get_throttled', '0x50005',
     'the firmware says under-voltage, throttled'),
    (x86, 'sys/class/thermal/cooling_device0/cur_state', 2, 'Processor is at 2'),
])
def test_what_slows_it_down_is_named(tmp_path, make, name, value, said):
    thermometer = Thermometer(make(tmp_path))
    assert not thermometer.read().throttled
    put(tmp_path, name, value)
    heat = thermometer.read()
    assert heat.throttled and said in heat.text


@pytest.mark.parametrize('make, name, value', [
    (orin, 'sys/class/thermal/cooling_device6/cur_state', 1),       # the warning of a hot surface
    (orin, 'sys/class/thermal/cooling_device3/cur_state', 4),       # the fan
    (orin, 'sys/class/thermal/thermal_zone0/temp', 98_999),         # above 70, the surface's trip
    (raspberry, 'sys/devices/platform/soc/soc:firmware/get_throttled', '0x50000'),  # it was once
])
def test_what_does_not_slow_it_down(tmp_path, make, name, value):
    make(tmp_path)
    put(tmp_path, name, value)
    assert not thermal(tmp_path).throttled


@pytest.mark.parametrize('make, name, said', [
    (x86, 'sys/devices/system/cpu/cpu2/thermal_throttle/core_throttle_count',
     'the processor counted 2 more'),
    (orin, 'sys/class/hwmon/hwmon3/oc3_event_cnt', 'over-current counted 2 more')])
def test_a_counter_that_grows_says_so_once(tmp_path, make, name, said):
    thermometer = Thermometer(make(tmp_path))
    assert not thermometer.read().throttled
    put(tmp_path, name, int((tmp_path / name).read_text()) + 2)
    assert said in thermometer.read().text
    assert not thermometer.read().throttled
    put(tmp_path, name, 0)              # it was reset, it did not grow
    assert not thermometer.read().throttled


def test_over_current_that_slows_nothing_is_not_counted(tmp_path):
    put(orin(tmp_path), 'sys/class/hwmon/hwmon3/oc3_throt_en', 0)
    thermometer = Thermometer(tmp_path)
    put(tmp_path, 'sys/class/hwmon/hwmon3/oc3_event_cnt', 900)
    assert not thermometer.read().throttled


def test_a_machine_that_shows_nothing_and_zones_that_talk_nonsense(tmp_path):
    heat = thermal(tmp_path)
    assert not heat.throttled and math.isnan(heat.hottest_c)
    assert heat.text == 'no temperature can be read here'
    zone(tmp_path, 0, 'broken', -273_150)
    zone(tmp_path, 1, 'words', 'hot')
    assert math.isnan(thermal(tmp_path).hottest_c)


def test_a_reading_is_cheap_and_everything_is_given_back(tmp_path):
    before = len(os.listdir('/proc/self/fd'))
    thermometer = Thermometer(orin(tmp_path))
    took = []
    for _ in range(50):
        begun = time.perf_counter()
        thermometer.read()
        took.append(time.perf_counter() - begun)
    thermometer.close()
    assert min(took) < 1e-3 and not thermometer.read().throttled
    assert len(os.listdir('/proc/self/fd')) == before
