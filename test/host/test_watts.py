# SPDX-License-Identifier: Apache-2.0
"""What a board draws is read where it tells, and is not made up where it does not."""

import math
import os

from ami_ros.host.watts import Wattmeter
from fake_machine_roots import orin, put, raspberry, thor, x86
import pytest

NANO = {1: ('VDD_IN', 5000, 1200), 2: ('VDD_CPU_GPU_CV', 5000, 300), 3: ('VDD_SOC', 4980, 400)}
AGX = {1: ('VDD_GPU_SOC', 20000, 200), 2: ('VDD_CPU_CV', 20000, 100),
       3: ('VIN_SYS_5V0', 5000, 600)}


def chip(root, number, rails, name='ina3221'):
    here = f'sys/class/hwmon/hwmon{number}'
    put(root, f'{here}/name', name)
    for channel, (label, mv, ma) in rails.items():
        put(root, f'{here}/in{channel}_label', label)
        put(root, f'{here}/in{channel}_input', mv)
        put(root, f'{here}/curr{channel}_input', ma)
    put(root, f'{here}/in7_label', 'sum of shunt voltages')
    put(root, f'{here}/in7_input', 7)
    return root


@pytest.mark.parametrize('rails, watts', [
    (NANO, 6.0), (AGX, 9.0), ({**AGX, 3: ('NC', 5000, 600)}, 6.0)])
def test_what_hangs_on_another_rail_counts_once(tmp_path, rails, watts):
    meter = Wattmeter(chip(orin(tmp_path), 3, rails))
    assert meter.read() == pytest.approx(watts)
    meter.close()
    assert math.isnan(meter.read())


def test_two_chips_are_added_up(tmp_path):
    chip(chip(tmp_path, 2, AGX), 3, {2: ('VDDQ_VDD2_1V8AO', 5000, 100)})
    assert Wattmeter(tmp_path).read() == pytest.approx(9.5)


def test_it_reads_anew_each_time(tmp_path):
    meter = Wattmeter(chip(tmp_path, 1, NANO))
    put(tmp_path, 'sys/class/hwmon/hwmon1/curr1_input', 2000)
    assert meter.read() == pytest.approx(10.0)
    put(tmp_path, 'sys/class/hwmon/hwmon1/curr1_input', 'off')
    assert math.isnan(meter.read())


def test_who_does_not_tell_is_not_guessed(tmp_path):
    for make in (orin, thor, raspberry, x86):
        assert math.isnan(Wattmeter(make(tmp_path / make.__name__)).read())
    assert math.isnan(Wattmeter(chip(tmp_path / 'other', 1, NANO, 'ina209')).read())
    assert math.isnan(Wattmeter('/nowhere').read())


def test_files_are_closed(tmp_path):
    chip(tmp_path, 1, NANO)
    before = len(os.listdir('/proc/self/fd'))
    meter = Wattmeter(tmp_path)
    assert len(os.listdir('/proc/self/fd')) == before + 2       # of the one rail that counts
    meter.close()
    assert len(os.listdir('/proc/self/fd')) == before
