# SPDX-License-Identifier: Apache-2.0
"""Larger encoders go the same way: trained, exported, opened by every backend."""

from ami_ros.inference import backend, Options
from ami_ros.inference.compare_networks import off
from ami_ros.inference.onnx_graph import read
from ami_ros.training import vit
from ami_ros.training.float16_weight_storage import round_weights, shrink
from ami_ros.training.networks import ENCODERS, Jepa, Shape
from ami_ros.training.onnx_export import export
import numpy as np
import pytest
import torch

LITTLE = vit.VitSize(32, 2, 2)


@pytest.fixture
def little(monkeypatch):
    monkeypatch.setitem(vit.VITS, 'vit_tiny', LITTLE)
    return Shape(latent=8, hidden=32, width=16, head_width=8, heads=2, encoder='vit_tiny')


def test_one_learns_and_pictures_elsewhere_look_different(little):
    torch.manual_seed(0)
    model = Jepa(little, (0.6, 1.5), (64, 64))
    pictures = torch.rand(4, 3, 64, 64) * 255
    z = model.encoder(pictures)
    assert z.shape == (4, 8)
    z.square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0
               for p in model.encoder.parameters() if p.numel() > 64)
    flipped = model.encoder(pictures.flip(3))     # it knows where in the picture a patch was
    assert not torch.allclose(z, flipped, atol=1e-4)


@pytest.mark.parametrize('size', [(64, 64), (128, 160)])
def test_it_is_exported_and_every_backend_says_the_same(little, size, tmp_path):
    torch.manual_seed(0)
    model = Jepa(little, (0.6, 1.5), size)
    round_weights(model)
    width, height = size
    pictures = np.random.default_rng(0).integers(0, 256, (4, height, width, 3), np.uint8)
    report = export(model, 0.05, 4, tmp_path, pictures)
    assert report['see']['largest_error'] < 2e-4
    data = shrink((tmp_path / 'see.onnx').read_bytes())
    given = {'picture': pictures[:2].astype(np.float32)}
    expected = backend('numpy', Options('float64'))(data)(**given)
    for name in ('onnx', 'numpy', 'torch'):
        assert off(expected, backend(name)(data)(**given)) < 1e-4
    assert off(expected, backend('onnx', Options('float16'))(data)(**given)) < 2e-2
    assert read(data).inputs[0].shape == ('n', height, width, 3)


@pytest.mark.parametrize('name, low, high', [('vit_small', 20e6, 25e6), ('vit_base', 80e6, 100e6)])
def test_the_sizes_are_what_the_names_say(name, low, high):
    with torch.device('meta'):
        encoder = vit.Vit(name, (224, 224), 512, 64)
    assert low < sum(p.numel() for p in encoder.parameters()) < high


def test_what_cannot_be_says_what_can():
    with pytest.raises(ValueError, match=f"no encoder 'vit'; there are: {', '.join(ENCODERS)}"):
        Shape(encoder='vit')
    with pytest.raises(ValueError, match='130 x 130 cannot be cut into patches of 16'):
        vit.patch_of((130, 130))
