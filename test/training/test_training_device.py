# SPDX-License-Identifier: Apache-2.0
"""Training on another device than the CPU, as far as it can be shown without one.

Torch's `meta` stands for the GPU: it has shapes and no numbers, and refuses whatever mixes it with
a tensor that was left on the CPU. What a GPU computes, and how quickly, it does not show.
"""

from ami_ros.training import pipeline, train
from ami_ros.training.cost_map_and_memory import look
from ami_ros.training.loss import terms, total, Weights
from ami_ros.training.networks import Jepa, Shape
from numpy.random import default_rng
import pytest
from synthetic_bags import drives
import torch

IMAGES, DRIVES = drives(5, 12)
LIMITS, SHAPE = (0.6, 1.5), Shape()


def sampler(shape=SHAPE):
    recipe = train.Recipe(windows=8, frames=3, far=10, shape=shape)
    rows, _ = train.split(DRIVES, recipe)
    return train.Sampler(IMAGES, DRIVES, rows, recipe)


@pytest.mark.parametrize('encoder', ['convolutions', 'vit_tiny'])
def test_no_tensor_of_a_step_is_left_on_the_cpu(encoder):
    shape = Shape(encoder=encoder)
    model = Jepa(shape, LIMITS, IMAGES.shape[2:0:-1]).to('meta')
    batch = sampler(shape).batch(default_rng(0)).to('meta')
    masks = torch.Generator().manual_seed(0)
    loss = total(terms(model, batch, masks), Weights())
    loss.backward()
    assert loss.device.type == 'meta'
    assert all(p.grad is not None and p.grad.device.type == 'meta' for p in model.parameters())


def test_the_pretended_gpu_notices_a_tensor_that_was_left():
    model = Jepa(Shape(), LIMITS, IMAGES.shape[2:0:-1]).to('meta')
    with pytest.raises(RuntimeError, match='device'):
        terms(model, sampler().batch(default_rng(0)), None)


def test_a_look_takes_its_pictures_to_the_device_of_the_model():
    model = Jepa(Shape(), LIMITS, IMAGES.shape[2:0:-1]).to('meta')
    with pytest.raises(NotImplementedError, match='meta'):     # only the way back needs numbers
        look(model, IMAGES, DRIVES.frame)


def test_what_is_drawn_is_the_same_on_every_device(monkeypatch, tmp_path):
    """A checkpoint that was written elsewhere goes on here, with the same draws."""
    recipe = train.Recipe(steps=4, windows=8, frames=3, far=10,
                          shape=Shape(latent=8, hidden=16, width=16, head_width=8, heads=2,
                                      channels=(4, 8, 8)))
    monkeypatch.setattr(train, 'SAVE', 2)
    path = tmp_path / 'm.checkpoint'

    def run(resume, device):
        return train.train(IMAGES, DRIVES, recipe, LIMITS, path, resume, lambda line: None,
                           device=device).state_dict()

    whole = run(False, 'cpu')
    kept = torch.load(path, weights_only=True)
    assert all(v.device.type == 'cpu' for v in kept['model'].values())
    again = run(True, torch.device('cpu', 0))
    assert all(torch.equal(whole[k], again[k]) for k in whole)


@pytest.mark.parametrize('there, asked, got', [(False, 'auto', 'cpu'), (True, 'auto', 'cuda'),
                                               (True, 'cpu', 'cpu'), (True, 'cuda', 'cuda')])
def test_auto_is_a_gpu_where_there_is_one(monkeypatch, there, asked, got):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: there)
    assert pipeline.device_of(asked) == got


@pytest.mark.parametrize('asked', ['cuda', 'tpu'])
def test_a_device_that_is_not_there_is_named_with_those_that_are(monkeypatch, asked):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(ValueError, match=f"no device '{asked}' here, but: cpu"):
        pipeline.device_of(asked)
