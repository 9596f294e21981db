# SPDX-License-Identifier: Apache-2.0
"""How many images an engine renders is measured for each place and size."""

from ami_ros.validation.benchmarks import image_rates
import pytest


def test_every_engine_that_is_installed_renders_in_each_place_and_size(monkeypatch):
    pytest.importorskip('pybullet', reason='needs pybullet')
    monkeypatch.setattr(image_rates, 'BLOCK_S', 0.01)
    rows = image_rates.rates(1)
    assert [(row['place'], row['size']) for row in rows] == [
        (place, size) for place in ('room', 'building') for size in image_rates.SIZES]
    for row in rows:
        assert row['images_per_s']['pybullet'] > 0
        assert set(row['images_per_s']) == set(row['renderer'])
