# SPDX-License-Identifier: Apache-2.0
"""The report of out_of_distribution: what counts as told, and what as a false alarm."""

import json

from ami_ros.validation import out_of_distribution as measured
import numpy as np


def drive(*figures) -> list[list[float]]:
    return [[figure, 0.5, 1.0, 0.0] for figure in figures]


def test_told_is_above_one_within_two_seconds():
    calm, soon, late = [0.5] * 30, [0.5] * 20 + [1.2] * 10, [0.5] * 21 + [1.2] * 9
    said = measured.told([drive(*calm), drive(*soon), drive(*late), drive(1.1, *calm)])
    assert said['tries'] == 4 and said['told'] == 0.5 and said['least_largest'] == 0.5


def test_alarms_that_follow_within_two_seconds_are_one():
    values = np.full(600, 0.5)
    values[[100, 101, 115, 140]] = 1.5
    said = measured.alarms([drive(*values), drive(*np.full(600, 0.9)), drive(*values)])
    assert said['alarms'] == 4 and said['hours'] == 0.05 and said['per_hour'] == 80.0
    assert said['largest'] == 1.5 and said['above_s'] == 0.8


def test_the_report_is_json_and_has_the_old_figure_beside_the_new():
    groups = {'unseen room': [drive(*[1.5] * 30)], 'evening': [drive(*[0.2] * 30)]}
    report = json.loads(json.dumps(measured.report_of(groups, [drive(*[0.3] * 600)])))
    assert report['told']['unseen room']['told'] == 1.0
    assert report['disagreement']['told'] == {'unseen room': 0.0, 'evening': 0.0}
    assert report['own_room']['alarms'] == 0
    assert report['share_of_images_above']['unseen room']['out_of_distribution'] == 1.0
