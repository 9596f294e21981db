# SPDX-License-Identifier: Apache-2.0
"""Gates: known spectra, known models, and every way to fail named with its bound."""

import math

from ami_ros.training.quality_gates import effective_rank, gate, GATES, measure, ranks
from ami_ros.training.train import Recipe, Sampler
from ami_ros.training.training_windows import starts
import numpy as np
from oracle_jepa import OracleJepa, picture, pose_of
import pytest
from synthetic_bags import drives
import torch

GOOD = {name: bound + (1 if side == 'above' else -0.5 * bound)
        for name, (bound, side, _) in GATES.items()}


def with_spectrum(*eigenvalues: float, n: int = 4000) -> torch.Tensor:
    """Make points (n, D) whose covariance has exactly these eigenvalues, in turned axes."""
    rng = np.random.default_rng(0)
    white = rng.normal(size=(n, len(eigenvalues)))
    white -= white.mean(0)
    white = white @ np.linalg.inv(np.linalg.cholesky(np.cov(white.T)).T)
    turn, _ = np.linalg.qr(rng.normal(size=(len(eigenvalues),) * 2))
    return torch.from_numpy(white * np.sqrt(eigenvalues) @ turn)


@pytest.mark.parametrize('spectrum, rank', [
    ([1.0] * 16, 16.0), ([3.0] * 5, 5.0), ([1.0] * 4 + [0.0] * 12, 4.0), ([1.0] + [0.0] * 7, 1.0),
    ([0.5, 0.25, 0.25], math.exp(1.5 * math.log(2))), ([9.0, 1.0], math.exp(
        -0.9 * math.log(0.9) - 0.1 * math.log(0.1)))])
def test_effective_rank_of_known_spectra(spectrum, rank):
    eps = [max(value, 1e-15) for value in spectrum]
    assert effective_rank(with_spectrum(*eps)) == pytest.approx(rank, rel=1e-3)


@pytest.mark.parametrize('z', [torch.zeros(100, 16), torch.full((100, 16), 3.7),
                               1.0 + 1e-7 * torch.randn(100, 16),
                               torch.full((100, 16), float('nan'))])
def test_a_constant_has_the_rank_of_nothing(z):
    assert effective_rank(z) == 1.0


def test_ranks_are_places_in_order():
    assert ranks(np.array([3.0, -1.0, 7.0, 0.0])).tolist() == [2, 0, 3, 1]


# the bounds

def test_good_figures_pass():
    assert gate(GOOD).failures == [] and gate(GOOD).figures == GOOD


@pytest.mark.parametrize('name', GATES)
def test_each_figure_alone_fails_and_is_named(name):
    bound, side, meaning = GATES[name]
    worse = bound - 1e-6 if side == 'above' else bound + 1e-6
    for value in (worse, bound, math.nan):
        failed, = gate({**GOOD, name: value}).failures
        assert failed.startswith(f'{name} is ') and f'must be {side} {bound}' in failed
        assert meaning in failed


def test_a_figure_that_is_missing_is_no_pass():
    with pytest.raises(KeyError):
        gate({name: value for name, value in GOOD.items() if name != 'sigreg'})


# figures of models that are known

@pytest.fixture(scope='module')
def sampler():
    _, made = drives(40, 20)
    recipe = Recipe(frames=5, windows=32)
    return Sampler(picture(made.pose), made, starts(made, recipe.frames), recipe)


@pytest.fixture(scope='module')
def right(sampler):
    return measure(OracleJepa(), sampler, windows=128)


def test_the_toy_pictures_are_the_poses():
    pose = np.random.default_rng(0).uniform(-6, 6, (20, 3))
    read = pose_of(torch.from_numpy(picture(pose)).permute(0, 3, 1, 2).float())
    assert read.numpy() == pytest.approx(pose, abs=5e-6)


def test_a_model_that_is_right_passes_every_gate_on_what_it_says(right):
    failed = [f.split()[0] for f in gate(right).failures]
    assert set(failed) <= {'sigreg'}        # its waves are no Gaussian, and need not be
    assert right['rollout_vs_copy_last'] < 1e-3 and right['rollout_vs_wrong_action'] < 1e-3
    assert right['place_error_m'] < 1e-3 and right['heading_error_rad'] < 1e-2
    assert right['distance_rank_correlation'] > 0.7 and right['effective_rank'] > 8
    assert right['disagreement_scale'] == pytest.approx(0.01, rel=1e-3)
    assert right['surprise_scale'] < 0.01 * right['latent_deviation']


def test_a_constant_encoder_is_stopped_by_name(sampler):
    failed = [f.split()[0] for f in gate(measure(OracleJepa(constant=True), sampler,
                                                 windows=128)).failures]
    assert {'effective_rank', 'sigreg', 'rollout_vs_copy_last', 'place_error_m'} <= set(failed)


def test_dynamics_that_are_blind_to_actions_are_stopped_by_name(sampler):
    failed = [f.split()[0] for f in gate(measure(OracleJepa(blind=True), sampler,
                                                 windows=128)).failures]
    assert {'rollout_vs_wrong_action', 'action_sensitivity', 'rollout_vs_copy_last'} <= set(failed)
    assert 'effective_rank' not in failed and 'place_error_m' not in failed


def test_wrong_places_are_stopped_by_name(sampler):
    class Lost(OracleJepa):
        def readings(self, z):
            place, clearance, doubt = super().readings(z)
            return place * torch.tensor([2.5, 2.5, 1, 1]), clearance, doubt

    failed = gate(measure(Lost(), sampler, windows=128)).failures
    assert [f.split()[0] for f in failed if 'place' in f] == ['place_error_m']


def test_measuring_is_repeatable_and_leaves_the_generator_alone(sampler, right):
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    again = measure(OracleJepa(), sampler, windows=128)
    assert again == right
    assert torch.equal(torch.rand(3), expected)
    assert measure(OracleJepa(), sampler, seed=1, windows=128) != right
