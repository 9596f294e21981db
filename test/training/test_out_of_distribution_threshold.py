# SPDX-License-Identifier: Apache-2.0
"""The threshold of out_of_distribution: from held-out drives, without their neighbours in time."""

import json

from ami_ros.modules.module import open_module
from ami_ros.modules.schema import manifest as schema
from ami_ros.modules.schema import problems
from ami_ros.training import cost_map_and_memory, merge_bags, out_of_distribution_threshold
from ami_ros.training.restore_from_onnx import restore
from ami_ros.training.training_windows import cut, joined
from ami_ros.world_model import out_of_distribution as figures
import numpy as np
import pytest
from test_surprise_baseline import recording


@pytest.fixture(scope='module')
def shipped():
    module = open_module()
    return module, restore(module)[0]


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(figures, 'LEAST', 5)


def measured(shipped):
    module, model = shipped
    one = recording(200)
    drives = cut(one, np.random.default_rng(1))
    data = merge_bags.Data(one.images, drives, (one,))
    held = np.flatnonzero(drives.drive == 0)
    latents, _ = cost_map_and_memory.look(model, one.images, drives.frame)
    return out_of_distribution_threshold.of_drives(model, data, held, latents,
                                                   module.array('memory_scale'), 0)


def test_neighbours_in_time_do_not_count(shipped, few, monkeypatch):
    monkeypatch.setattr(out_of_distribution_threshold, 'APART_NS', 2_000_000_000)
    said = measured(shipped)
    assert said['threshold'] > 0 and 5 <= said['blocks'] <= 20 and said['most'] <= 1
    assert json.loads(json.dumps(said)) == said
    monkeypatch.setattr(out_of_distribution_threshold, 'APART_NS', 0)
    assert measured(shipped)['p50'] * measured(shipped)['threshold'] < (
        said['p50'] * said['threshold'])


def test_a_recording_that_is_too_short_has_no_threshold(shipped):
    assert measured(shipped) is None
    assert 'too short' in out_of_distribution_threshold.told(None)


def test_the_manifest_may_have_it_and_a_threshold_of_zero_is_refused(shipped):
    manifest = shipped[0].manifest
    good = {**manifest, 'out_of_distribution': {'threshold': 2.0, 'blocks': 60}}
    assert not problems(good, schema())
    bad = {**manifest, 'out_of_distribution': {'threshold': 0}}
    assert any('out_of_distribution' in line for line in problems(bad, schema()))


def test_an_axis_that_is_always_zero_is_no_obstacle(shipped, few):
    module, model = shipped
    one = recording(200)
    drives = cut(one, np.random.default_rng(1))
    data = merge_bags.Data(one.images, drives, (one,))
    latents, _ = cost_map_and_memory.look(model, one.images, drives.frame)
    latents[:, 3] = 0.0
    scale = module.array('memory_scale').copy()
    scale[3] = 0.0
    said = out_of_distribution_threshold.of_drives(model, data, np.flatnonzero(drives.drive == 0),
                                                   latents,
                                                   scale, 0)
    assert said is None or np.isfinite(said['threshold'])


def test_it_is_compared_with_what_is_remembered(shipped, few, monkeypatch):
    """Above mapping.FRAMES images the robot remembers fewer drives, so that more is unlike."""
    module, model = shipped
    one = recording(200)
    parts = cut(one, np.random.default_rng(1)), cut(one, np.random.default_rng(2))
    drives = joined(parts, [0, 0])
    latents, _ = cost_map_and_memory.look(model, one.images, drives.frame)
    seen = []
    monkeypatch.setattr(out_of_distribution_threshold, 'Familiar',
                        lambda latents: seen.append(len(latents)))
    monkeypatch.setattr(out_of_distribution_threshold, 'measure', lambda *_: None)
    for most in (cost_map_and_memory.FRAMES, len(drives.drive) - 1):
        monkeypatch.setattr(cost_map_and_memory, 'FRAMES', most)
        out_of_distribution_threshold.of_drives(model, merge_bags.Data(one.images, drives, (one,)),
                                                np.array([], int), latents,
                                                module.array('memory_scale'), 0)
    assert 0 < seen[1] < seen[0] == len(drives.drive)
