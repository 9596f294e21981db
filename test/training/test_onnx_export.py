# SPDX-License-Identifier: Apache-2.0
"""What is exported says what torch says, or is not exported."""

from ami_ros.inference import backend
from ami_ros.training.float16_weight_storage import round_weights, shrink
from ami_ros.training.networks import Jepa, Shape
from ami_ros.training.onnx_export import compare, export, Imagine, See, StepNet, TOLERANCE
import numpy as np
import pytest
from synthetic_bags import picture
import torch

ORDINARY, HORIZON = 0.05, 3
PICTURES = np.stack([picture(i) for i in range(20)])


@pytest.fixture(scope='module')
def exported(tmp_path_factory):
    """Export a small model once: model, folder, report."""
    torch.manual_seed(0)
    model = Jepa(Shape(latent=8, hidden=64, width=16, head_width=8, heads=2, channels=(4, 8, 8)),
                 (0.6, 1.5))
    round_weights(model)
    folder = tmp_path_factory.mktemp('exported')
    return model, folder, export(model, ORDINARY, HORIZON, folder, PICTURES)


def inputs(n: int = 7) -> dict[str, dict[str, torch.Tensor]]:
    """Make inputs that the export never saw, of another count."""
    rng = torch.Generator().manual_seed(9)
    z, body, twist = (torch.randn(n, k, generator=rng) for k in (8, 3, 2))
    return {
        'see': {'picture': torch.from_numpy(PICTURES[:n].astype(np.float32) * 0.7)},
        'step': {'z': z, 'body': body, 'twist': twist, 'dt': torch.full((n, 1), 0.17)},
        'imagine': {'z': z[:1], 'body': body[:1], 'goal': z[1:2],
                    'knots': torch.randn(n, HORIZON, 2, generator=rng)},
    }


def networks(model):
    return {'see': See(model), 'step': StepNet(model, ORDINARY),
            'imagine': Imagine(model, ORDINARY, HORIZON)}


def ordered(name: str, given: dict):
    return given.values() if name != 'imagine' else [given[k] for k in ('z', 'body', 'knots',
                                                                       'goal')]


@pytest.mark.parametrize('name', ['see', 'step', 'imagine'])
def test_the_exported_network_says_what_torch_says(exported, name):
    model, folder, report = exported
    given = inputs()[name]
    with torch.no_grad():
        expected = networks(model)[name](*ordered(name, given))
    got = backend('onnx')((folder / f'{name}.onnx').read_bytes())(
        **{k: v.numpy() for k, v in given.items()})
    assert len(got) == len(expected) == len(report[name]['outputs'])
    for a, b in zip(got, expected):
        assert a == pytest.approx(b.numpy(), abs=TOLERANCE * max(1.0, float(np.abs(a).max())))
    assert 0 <= report[name]['largest_error'] <= TOLERANCE


def test_the_report_names_what_goes_in_and_out(exported):
    report = exported[2]
    assert [i['name'] for i in report['step']['inputs']] == ['z', 'body', 'twist', 'dt']
    assert report['see']['inputs'] == [
        {'name': 'picture', 'dtype': 'float', 'shape': ['n', 64, 64, 3]}]
    assert {'name': 'knots', 'dtype': 'float', 'shape': ['n', HORIZON, 2]} in \
        report['imagine']['inputs']
    assert [o['name'] for o in report['imagine']['outputs']] == [
        'place', 'latent_distance', 'clearance', 'disagreement']


def test_disagreement_is_in_units_of_the_ordinary(exported):
    model, folder, _ = exported
    given = inputs()['step']
    with torch.no_grad():
        _, _, variance = model.dynamics.step(*given.values())
    got = backend('onnx')((folder / 'step.onnx').read_bytes())(
        **{k: v.numpy() for k, v in given.items()})
    assert got[4] == pytest.approx(variance.sqrt().numpy() / ORDINARY, rel=1e-3)


@pytest.mark.parametrize('name', ['see', 'step', 'imagine'])
def test_shrinking_what_was_rounded_changes_no_bit(exported, name):
    data = (exported[1] / f'{name}.onnx').read_bytes()
    small = shrink(data)
    given = {k: v.numpy() for k, v in inputs()[name].items()}
    one, two = (backend('onnx')(d)(**given) for d in (data, small))
    assert all(a.tobytes() == b.tobytes() for a, b in zip(one, two))
    assert name != 'see' or len(small) < 0.8 * len(data)


@pytest.mark.parametrize('value', [0.1, float('nan')])
def test_a_weight_changed_after_the_export_is_found(exported, value):
    model, folder, report = exported
    given = inputs()['step']
    outputs = [o['name'] for o in report['step']['outputs']]
    weight = model.dynamics.trunk[0].bias
    before = weight.detach().clone()
    assert compare(folder / 'step.onnx', StepNet(model, ORDINARY), given, outputs)
    try:
        with torch.no_grad():
            weight += value
        with pytest.raises(RuntimeError, match='step.onnx differs from torch .*nothing was exp'):
            compare(folder / 'step.onnx', StepNet(model, ORDINARY), given, outputs)
    finally:
        with torch.no_grad():
            weight.copy_(before)
