# SPDX-License-Identifier: Apache-2.0
"""The figure out_of_distribution: distance to the training data, over a held-out threshold."""

import math

from ami_ros.core.settings import WorldModelSettings
from ami_ros.core.types import Latent
from ami_ros.recording import lossless_json
from ami_ros.world_model import out_of_distribution as ood
from ami_ros.world_model.belief_filter import WorldModel
import numpy as np
from perfect_model_world import Flatland, frame
import pytest

SECOND = 10**9


def known(count=3000, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 3)).astype(np.float32)


def see(model: WorldModel, x: float, ms: int, run='a'):
    shot = frame([x, 0.0, 0.0], ms, run=run)
    return model.update(Latent(model.encoder.encode(shot.image), shot), ())


def model(familiar) -> WorldModel:
    world = Flatland()
    return WorldModel(world, world, WorldModelSettings(), 1.0, familiar)


def test_what_is_remembered_is_at_no_distance_and_farther_is_more():
    latents = known()
    familiar = ood.Familiar(latents)
    assert familiar.distance(latents[7]) == pytest.approx(0.0, abs=1e-3)
    away = [familiar.distance(np.array([x, 0, 0])) for x in (4.0, 5.0, 8.0, 20.0)]
    assert away == sorted(away) and away[0] > 0.1


def test_the_nearest_is_found_as_by_comparing_all():
    familiar, z = ood.Familiar(known()), known(1, 5)[0]
    here = (z - familiar.mean) @ familiar.axes
    wanted = np.sqrt(((familiar.known - here) ** 2).sum(1)).min()
    assert familiar.distance(z) == pytest.approx(float(wanted), rel=1e-5)


def test_only_those_that_count_are_compared():
    latents = known()
    familiar = ood.Familiar(latents)
    others = np.arange(len(latents)) != 7
    assert familiar.distance(latents[7], others) > familiar.distance(latents[7])


def test_many_latents_are_thinned():
    assert len(ood.Familiar(known(40_000)).known) <= ood.MOST


def test_a_threshold_divides():
    z = np.array([9.0, 0, 0])
    assert ood.Familiar(known(), 4.0).distance(z) == pytest.approx(
        ood.Familiar(known()).distance(z) / 4)


def test_with_enough_blocks_the_threshold_is_the_conformal_quantile(monkeypatch):
    monkeypatch.setattr(ood, 'RARE_S', 100.0)
    maxima = np.random.default_rng(1).permutation(np.arange(1.0, 1000.0))
    said = ood.calibrated(maxima)
    assert said['threshold'] == 990.0 and said['method'] == 'conformal'     # 999 blocks, 1 %


def test_alarms_on_new_data_are_as_rare_as_was_asked_for(monkeypatch):
    monkeypatch.setattr(ood, 'RARE_S', 200.0)
    rng, shares = np.random.default_rng(2), []
    for _ in range(200):
        threshold = ood.calibrated(rng.exponential(size=400))['threshold']
        shares.append(np.mean(rng.exponential(size=400) > threshold))
    assert np.mean(shares) <= 1 / 200 + 0.0015


def test_with_fewer_blocks_the_tail_goes_on(monkeypatch):
    rng, shares = np.random.default_rng(3), []
    monkeypatch.setattr(ood, 'RARE_S', 3000.0)
    for _ in range(100):
        said = ood.calibrated(rng.exponential(size=500))
        assert said['most'] <= 1.0 and 'tail' in said['method']
        shares.append(math.exp(-said['threshold']))         # of an exponential, beyond it
    assert np.median(shares) < 1 / 1500


def test_few_blocks_say_nothing():
    assert ood.calibrated(np.ones(ood.LEAST - 1)) is None
    assert ood.calibrated(np.ones(ood.LEAST))['threshold'] >= 1.0


def test_a_block_is_as_bad_as_its_largest_figure():
    drive = [(5 * SECOND + i * SECOND // 4, float(value)) for i, value in
             enumerate([1, 3, 2, 1, 0, 0, 5, 0, 7])]
    assert ood.maxima(drive) == [3.0, 5.0, 7.0]


def test_the_figure_is_the_mean_of_the_last_second():
    distances: ood.Distances = []
    for index, value in enumerate([9.0] * 10 + [1.0] * 10):
        distances = ood.lately(distances, index * SECOND // 10, value)
    assert len(distances) == 10 and ood.figure(distances) == 1.0


def test_the_belief_tells_and_forgets_with_the_run():
    one = model(ood.Familiar(known() * 0.1))
    assert see(one, 0.0, 0).out_of_distribution < 0.2
    far = [see(one, 5.0, ms).out_of_distribution for ms in range(100, 1100, 100)]
    assert far == sorted(far) and far[-1] > 1.0
    assert see(one, 0.0, 1200, 'b').out_of_distribution < 0.2


def test_a_module_without_a_threshold_says_nan_and_nothing_else_changes():
    with_it, without = model(ood.Familiar(known())), model(None)
    for ms in (0, 100, 200):
        one, other = see(with_it, ms / 1000, ms), see(without, ms / 1000, ms)
        assert math.isnan(other.out_of_distribution)
        assert one.z.tobytes() == other.z.tobytes() and one.surprise == other.surprise
    assert ood.of_module({}, None, ()) is None
    assert ood.of_module({'out_of_distribution': {'threshold': 2.0}}, None, ()) is None


def test_it_is_made_of_what_a_module_remembers():
    latents = np.arange(-60, 60, dtype=np.int8).reshape(-1, 3)
    arrays = {'memory_latents': latents, 'memory_scale': np.full(3, 0.5, np.float32)}
    made = ood.of_module({'out_of_distribution': {'threshold': 2.0}}, arrays.__getitem__,
                         [f'{name}.npy' for name in arrays])
    assert made.threshold == 2.0
    assert made.distance(latents[3] * 0.5) == pytest.approx(0.0, abs=1e-3)


def test_what_is_remembered_between_two_images_makes_the_same_figures_again():
    one, other = (model(ood.Familiar(known())) for _ in range(2))
    for ms in (0, 100, 200):
        see(one, ms / 500, ms)
    other.go_on_from(one)
    assert see(one, 0.7, 300).out_of_distribution == see(other, 0.7, 300).out_of_distribution


def test_a_trace_restores_it_bit_for_bit():
    pytest.importorskip('rclpy', reason='needs rclpy')
    from ami_ros.nodes.trace_mind import remembered
    one, other = (model(ood.Familiar(known())) for _ in range(2))
    for ms in (0, 100, 200):
        see(one, ms / 500, ms)
    state = remembered(one)
    assert 'familiar' not in state          # the module has it
    for name, value in lossless_json.read(lossless_json.text(state)).items():
        setattr(other, name, list(value) if isinstance(getattr(other, name), list) else value)
    then, now = see(one, 0.7, 300), see(other, 0.7, 300)
    assert then.out_of_distribution == now.out_of_distribution > 0
    again = lossless_json.read(lossless_json.text(then))
    assert again.out_of_distribution == then.out_of_distribution
