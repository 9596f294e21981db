# SPDX-License-Identifier: Apache-2.0
"""Answers about what was not done are scored against a body that then does it."""

import json

from ami_ros.cli import main as cli
from ami_ros.validation import counterfactual as scored
from ami_ros.validation.counterfactual import Outcomes, right, score, through
import numpy as np
import pytest


def made(said):
    true = np.array([0.0, 1.0, 2.0, 2.05])
    return Outcomes((true, np.asarray(said, float)), (true, -np.asarray(said, float)), np.ones(4),
                    np.array([True, False, False, False]))


def test_pairs_are_counted_and_those_that_are_alike_are_not():
    true = np.array([0.0, 1.0, 2.0, 2.05])
    assert right(true, true, 0.1) == (5, 5)     # of six, one is too near
    assert right(true, -true, 0.1) == (5, 0)
    assert right(true, np.zeros(4), 0.1) == (5, 0)      # who says nothing is not right
    assert right(true, np.array([0.0, 2.0, 1.0, 3.0]), 0.1) == (5, 4)


def test_a_score_says_how_sure_it_is():
    said = score([made([0, 1, 2, 3]), made([0, 2, 1, 3])] * 5, np.random.default_rng(0))
    assert said['distance_m']['share'] == 0.9 and said['clearance_m']['share'] == 0.1
    low, high = said['distance_m']['interval_95']
    assert 0.8 <= low < 0.9 < high <= 1.0
    assert said['off_m']['p50'] == 1.0 and said['touched'] == 10
    assert said['one_touches'] == {'pairs': 30, 'said_clearer': 30}


def test_a_motion_that_hits_is_rightly_said_to_be_less_clear():
    true = np.array([0.1, 0.5, 0.6])
    one = Outcomes((true, true), (true, np.array([0.3, 0.2, 0.4])), np.ones(3),
                   np.array([True, False, False]))
    assert through(one) == (2, 1)


@pytest.mark.slow
def test_the_shipped_module_knows_which_motion_is_the_better_one(tmp_path, capsys):
    report = tmp_path / 'report.json'
    assert cli.main(['evaluate', '--counterfactual', '--episodes', '4', '--seed', '600',
                     '--report', str(report)]) == 0
    said = json.loads(report.read_text())
    assert said['distance_m']['pairs'] > 20 and said['distance_m']['share'] > 0.7
    assert said['protocol']['actions'] == scored.ACTIONS and said['off_m']['p50'] < 0.5
    assert 'in the right order' in capsys.readouterr().out
