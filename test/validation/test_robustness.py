# SPDX-License-Identifier: Apache-2.0
"""The campaign over cameras, light and furniture: rows, resuming, the page."""

import json

from ami_ros.cli.main import main
from ami_ros.validation import robustness as campaign
from ami_ros.validation.evaluate import places, Trial
from ami_ros.validation.evaluation_protocol import Episode, REACHED_M
import pytest

TRIAL = Trial('oracle', 6, 1, 4000)


def test_an_unknown_condition_is_refused_with_the_list(capsys):
    assert main(['robustness', '--only', 'fog']) == 1
    said = capsys.readouterr().err
    assert "no condition 'fog'" in said and 'brightness_0.6' in said


def test_without_an_engine_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(campaign, 'find_spec', lambda name: None)
    for names in ((), ('unchanged',)):
        with pytest.raises(ValueError, match=r'neither pybullet nor mujoco is installed: pip'):
            campaign.chosen(names)
    monkeypatch.setattr(campaign, 'find_spec', lambda name: name == 'mujoco' or None)
    assert list(campaign.chosen(())) == ['mujoco']


def test_rows_are_reported_by_condition_and_an_interrupted_run_resumes(tmp_path, monkeypatch):
    names, ledger = ('unchanged', 'furniture_moved'), tmp_path / 'rows.json'
    seen = []
    report = campaign.robustness(TRIAL, names, 1, ledger, lambda row, *_: seen.append(row['name']))
    assert seen == list(names) == [row['name'] for row in report['conditions']]
    for row in report['conditions']:
        assert set(row) >= {'success_rate', 'false_arrival_rate', 'collision_rate'}
    # all rows are there: nothing is driven again
    monkeypatch.setattr(campaign, 'drive', None)
    again = campaign.robustness(TRIAL, names, 1, ledger)
    assert again == report
    # of another trial, or with other code: not these rows
    with monkeypatch.context() as patch:
        patch.setattr(campaign, 'measured', lambda *_: {'code': 'another'})
        with pytest.raises(TypeError):      # it would be driven again
            campaign.robustness(TRIAL, names, 1, ledger)
    assert campaign.kept(ledger, 'another') == {}
    assert len(campaign.page(TRIAL, report)) == len(names) * (18 + campaign.PIXELS)
    assert json.loads(json.dumps(report)) == report


@pytest.mark.parametrize('name', ['brightness_0.6', 'evening', 'furniture_moved'])
def test_goals_are_drawn_in_the_room_as_it_stands_and_seen_in_ordinary_light(name):
    condition = campaign.CONDITIONS[name]
    world, driven, preset = places(campaign.under(TRIAL, condition), 7)
    plain, _, _ = places(TRIAL, 7)
    assert (world == plain) == (name != 'furniture_moved')
    assert (driven == world) == (name != 'evening')
    assert driven.pieces == world.pieces and preset.camera.on == (name != 'furniture_moved')


def test_a_false_arrival_is_declared_out_of_bounds():
    def episode(declared, away):
        return Episode(1, True, False, 9, 0, away, 0.1, 3.0, declared).false_arrival
    assert episode(True, REACHED_M + 0.01) and not episode(True, REACHED_M - 0.01)
    assert not episode(False, 2.0)


def test_people_walk_while_it_is_driven_and_a_light_among_the_changes_is_refused():
    world, driven, _ = places(Trial(world_changes='person:1'), 7)
    assert len(driven.people) == 1 and driven.world == world
    with pytest.raises(ValueError, match='--changes evening is a light; --camera'):
        places(Trial(world_changes='evening'), 7)
