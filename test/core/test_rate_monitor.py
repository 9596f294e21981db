# SPDX-License-Identifier: Apache-2.0
"""What a stage did lately is counted, and the worst of it is told with a remedy."""

from types import MappingProxyType

from ami_ros.core.rate_monitor import EVERY_S, HealthSettings, Pulse, slow, WINDOW_S
import pytest

WELL = {'rate_hz': 10.0, 'jitter_ms': 5.0, 'age_ms': 20.0, 'load': 0.3}


def beaten(times, age_s=0.02, busy_s=0.03, stages_s=MappingProxyType({})):
    pulse = Pulse()
    for at in times:
        pulse.beat(at, age_s, busy_s, stages_s)
    return pulse


def test_an_even_pulse():
    pulse = beaten([0.1 * i for i in range(200)])
    figures = pulse.figures(19.9)
    assert figures['rate_hz'] == pytest.approx(10.0) and figures['jitter_ms'] < 1e-6
    assert figures['age_ms'] == pytest.approx(20.0) and figures['load'] == pytest.approx(0.3)
    assert 'slow' not in pulse.said(19.9, HealthSettings())


def test_an_uneven_one():
    figures = beaten([0.1 * i + 0.05 * (i % 2) for i in range(60)]).figures(5.9)
    assert figures['jitter_ms'] == pytest.approx(50.0, rel=0.01)
    assert figures['rate_hz'] == pytest.approx(10.0, rel=0.02)


def test_what_is_past_and_what_is_too_little_counts_for_nothing():
    assert Pulse().figures(0.0) == {} == beaten([0.0, 0.1, 0.2]).figures(0.3)
    assert beaten([0.1 * i for i in range(50)]).figures(5.0 + WINDOW_S) == {}
    assert Pulse().said(0.0, HealthSettings()) == {} and slow({}, HealthSettings()) == ''


def test_stages_have_each_their_share():
    figures = beaten([0.1 * i for i in range(60)], stages_s={'see': 0.01, 'plan': 0.02}
                     ).figures(5.9)
    assert figures['load.see'] == pytest.approx(0.1) and figures['load.plan'] == pytest.approx(0.2)


def test_figures_are_made_once_a_second():
    pulse = beaten([0.1 * i for i in range(20)])
    made = pulse.figures(2.0)
    for i in range(20, 30):
        pulse.beat(0.1 * i, 0.5, 0.09)
    assert pulse.figures(2.0 + 0.9 * EVERY_S) is made
    assert pulse.figures(2.0 + EVERY_S)['load'] > made['load']


def test_without_limits_nothing_is_slow():
    busy = beaten([0.1 * i for i in range(60)], busy_s=0.1)
    assert 'slow' in busy.said(5.9, HealthSettings()) and 'slow' not in busy.said(5.9, None)


@pytest.mark.parametrize('name, just, beyond, remedy', [
    ('rate_hz', 4.0, 3.99, 'ros2 topic hz'), ('jitter_ms', 60.0, 60.1, 'ami-ros host'),
    ('age_ms', 150.0, 150.1, 'chrony'), ('load', 0.8, 0.81, 'actor.candidates')])
def test_just_at_the_limit(name, just, beyond, remedy):
    limits = HealthSettings()
    assert slow({**WELL, name: just}, limits) == ''
    said = slow({**WELL, name: beyond}, limits)
    assert said.startswith(f'{name} {beyond:.3g}, limit ') and remedy in said


def test_the_worst_of_several_is_told():
    assert slow({**WELL, 'load': 0.9, 'age_ms': 600.0}, HealthSettings()).startswith('age_ms')
