# SPDX-License-Identifier: Apache-2.0
"""How many images an engine renders is measured for each place and size."""

from ami_ros.validation.benchmarks import render_rate
import pytest


def test_every_engine_that_is_installed_renders_in_each_place_and_size(monkeypatch):
    pytest.importorskip('pybullet', reason='needs pybullet')
    monkeypatch.setattr(render_rate, 'BLOCK_S', 0.01)
    rows = render_rate.rates(1)
    assert [(row['place'], row['size']) for row in rows] == [
        (place, size) for place in ('room', 'building') for size in render_rate.SIZES]
    for row in rows:
        assert row['images_per_s']['pybullet'] > 0
        assert set(row['images_per_s']) == set(row['renderer'])
