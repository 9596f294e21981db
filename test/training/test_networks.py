# SPDX-License-Identifier: Apache-2.0
"""The networks' promises: no time changes nothing, headings are unit, collapse is punished."""

from dataclasses import replace

from ami_ros.training.loss import Batch, near, relative, relative_place, terms, total, Weights
from ami_ros.training.networks import Jepa, Shape, sigreg
import numpy as np
import pytest
import torch
from torch import nn

SMALL = Shape(latent=8, hidden=16, width=16, head_width=8, heads=3, channels=(4, 8, 8))
LIMITS = (0.6, 1.5)


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    return Jepa(SMALL, LIMITS).eval()


def some(n: int = 5):
    rng = torch.Generator().manual_seed(1)
    return (torch.randn(n, 8, generator=rng), torch.randn(n, 3, generator=rng),
            torch.randn(n, 2, generator=rng), torch.rand(n, 1, generator=rng))


def test_a_step_of_no_time_changes_nothing(model):
    z, body, twist, dt = some()
    after, then, spread = model.dynamics.step(z, body, twist, 0 * dt)
    assert torch.equal(after, z) and torch.equal(then, body) and torch.all(spread == 0)


def test_a_step_is_the_mean_of_the_heads_and_their_variance_the_disagreement(model):
    z, body, twist, dt = some()
    change = model.dynamics(z, body, twist, dt)
    assert change.shape == (3, 5, 11)
    after, then, spread = model.dynamics.step(z, body, twist, dt)
    assert torch.allclose(after, z + change.mean(0)[:, :8])
    assert torch.allclose(then, body + change.mean(0)[:, 8:] * torch.tensor([0.6, 1.5, 1.5]))
    assert torch.allclose(spread, change[..., :8].var(0, unbiased=False).mean(-1))
    assert torch.all(spread > 0)        # untrained heads do not agree


def test_what_is_done_and_for_how_long_matters(model):
    z, body, twist, dt = some()
    change = model.dynamics(z, body, twist, dt)
    assert not torch.allclose(change, model.dynamics(z, body, -twist, dt))
    assert not torch.allclose(change, model.dynamics(z, body, twist, 2 * dt))
    assert not torch.allclose(change, model.dynamics(z, -body, twist, dt))


def test_readings_have_a_unit_heading_and_a_positive_doubt(model):
    place, clearance, doubt = model.readings(10 * some(50)[0])
    assert place.shape == (50, 4) and clearance.shape == doubt.shape == (50,)
    assert torch.allclose(torch.linalg.vector_norm(place[:, 2:], dim=-1), torch.ones(50))
    assert torch.all(doubt > 0)


@pytest.mark.parametrize('size', [(64, 64), (96, 64)])
def test_the_encoder_takes_the_size_it_was_made_for(size):
    made = Jepa(SMALL, LIMITS, size)
    width, height = size
    assert made.encoder(torch.zeros(2, 3, height, width)).shape == (2, 8)
    assert not torch.allclose(made.encoder(torch.zeros(1, 3, height, width)),
                              made.encoder(torch.full((1, 3, height, width), 255.0)))


def test_there_is_no_batchnorm(model):
    assert not any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in model.modules())


# the term against collapse

def gaussian(n: int, d: int = 16, scale: float = 1.0) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(2)) * scale


def test_sigreg_is_small_for_a_gaussian_and_large_for_what_has_collapsed():
    torch.manual_seed(0)
    healthy = sigreg(gaussian(512)).item()
    assert healthy < 2.0
    rank_one = torch.outer(gaussian(512, 1)[:, 0], torch.ones(16))
    for collapsed in (torch.zeros(512, 16), torch.ones(512, 16), rank_one,
                      gaussian(512, scale=0.1), gaussian(512, scale=5.0)):
        assert sigreg(collapsed).item() > 20 * healthy


def test_sigreg_carries_its_batch_size():
    torch.manual_seed(0)
    few, many = sigreg(torch.zeros(64, 16)).item(), sigreg(torch.zeros(512, 16)).item()
    assert many == pytest.approx(8 * few, rel=1e-4)


def test_sigreg_pushes_a_collapsed_latent_apart():
    z = (0.1 * gaussian(64, 8)).requires_grad_()
    for _ in range(20):
        torch.manual_seed(0)
        loss = sigreg(z, 64)
        z = (z - 2.0 * torch.autograd.grad(loss, z)[0]).detach().requires_grad_()
    assert z.std(0).mean() > 0.2


# the terms of the loss

def batch(b: int = 4, t: int = 4, nan: bool = False) -> Batch:
    rng = torch.Generator().manual_seed(3)
    pose = torch.cumsum(torch.rand(b, t, 3, generator=rng) * 0.1, 1)
    clearance = torch.full((b, t), float('nan')) if nan else torch.rand(b, t, generator=rng)
    pictures = torch.randint(0, 256, (b, t, 3, 64, 64), generator=rng, dtype=torch.uint8)
    body, action = (torch.randn(b, t, n, generator=rng) for n in (3, 2))
    return Batch(pictures, body, action, torch.full((b, t, 1), 0.25), pose, clearance,
                 pictures[:, 0] // 2)


def test_invariance_is_the_distance_to_the_latent_of_the_clean_picture(model):
    changed = batch()
    with torch.no_grad():
        far = terms(model, changed, None)['invariance']
        same = terms(model, replace(changed, clean=changed.pictures[:, 0]), None)['invariance']
    assert far > 1e-4 and same < 1e-9


def test_every_term_is_there_finite_and_reaches_the_encoder(model):
    parts = terms(model, batch(), None)
    assert set(parts) == set(Weights.__dataclass_fields__)
    for name, value in parts.items():
        assert torch.isfinite(value), name
        grads = torch.autograd.grad(value, model.encoder.parameters(), retain_graph=True,
                                    allow_unused=True)
        assert any(g is not None and g.abs().sum() > 0 for g in grads), name
    one = Weights(**dict.fromkeys(Weights.__dataclass_fields__, 0.0) | {'place': 2.0})
    assert total(parts, one).item() == pytest.approx(2 * parts['place'].item())


def test_unknown_clearance_costs_nothing(model):
    assert terms(model, batch(nan=True), None)['clearance'].item() == 0
    said, measured = torch.tensor([0.5, 0.5, 0.9]), torch.tensor([0.5, float('nan'), 3.0])
    known = near(said[[0, 2]], torch.tensor([0.5, 1.0])).item()
    assert near(said, measured).item() == pytest.approx(known) and known > 0


def test_heads_see_windows_of_their_own(model):
    torch.manual_seed(0)
    whole = terms(model, batch(), None)['one_step'].item()
    torch.manual_seed(0)
    masked = terms(model, batch(), torch.Generator().manual_seed(5))['one_step'].item()
    assert masked != whole and masked == pytest.approx(whole, rel=0.9)


def test_relative_places_are_relative_poses():
    rng = np.random.default_rng(0)
    a, b = (torch.from_numpy(rng.normal(size=(6, 3))) for _ in range(2))

    def place(pose):
        return torch.stack([pose[:, 0], pose[:, 1], pose[:, 2].cos(), pose[:, 2].sin()], -1)

    assert torch.allclose(relative_place(place(a), place(b)), relative(a, b))
    left = relative(torch.tensor([[1.0, 2.0, np.pi / 2]]), torch.tensor([[0.0, 2.0, np.pi]]))
    assert left.numpy() == pytest.approx(np.array([[0, 1, 0, 1]]), abs=1e-6)
