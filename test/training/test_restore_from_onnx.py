# SPDX-License-Identifier: Apache-2.0
"""The model that a module's networks were exported from, out of the networks."""

from dataclasses import replace

from ami_ros.inference import backend
from ami_ros.modules.module import open_module
from ami_ros.training.onnx_export import Imagine, See, StepNet, TOLERANCE
from ami_ros.training.restore_from_onnx import restore
import numpy as np
import pytest
import torch

RNG = np.random.default_rng(3)
Z, BODY, GOAL = (RNG.normal(size=(1, n)).astype(np.float32) for n in (64, 3, 64))
GIVEN = {
    'see': {'picture': RNG.uniform(0, 255, (1, 64, 64, 3)).astype(np.float32)},
    'step': {'z': Z, 'body': BODY, 'twist': BODY[:, :2], 'dt': np.full((1, 1), 0.1, np.float32)},
    'imagine': {'z': Z, 'body': BODY, 'goal': GOAL,
                'knots': RNG.uniform(-1, 1, (9, 8, 2)).astype(np.float32)},
    'imagine_4': {'z': Z, 'body': BODY, 'goal': GOAL,
                  'knots': RNG.uniform(-1, 1, (9, 4, 2)).astype(np.float32)},
}


@pytest.mark.parametrize('name', GIVEN)
def test_it_says_what_the_shipped_network_says(name):
    module = open_module()
    model, ordinary = restore(module)
    network = {'see': lambda: See(model), 'step': lambda: StepNet(model, ordinary),
               'imagine': lambda: Imagine(model, ordinary, 8),
               'imagine_4': lambda: Imagine(model, ordinary, 4)}[name]()
    given = GIVEN[name]
    order = ['z', 'body', 'knots', 'goal'] if 'knots' in given else list(given)
    with torch.no_grad():
        said = network(*(torch.from_numpy(given[key]) for key in order))
    for a, b in zip(backend('onnx')(module.files[f'{name}.onnx'])(**given), said, strict=True):
        assert a == pytest.approx(b.numpy(), abs=TOLERANCE * max(1.0, float(np.abs(a).max())))


def test_the_shorter_rollout_says_of_its_knots_what_the_whole_one_says_to_the_bit():
    files = open_module().files
    given = GIVEN['imagine']
    whole = backend('onnx')(files['imagine.onnx'])(**given)
    half = backend('onnx')(files['imagine_4.onnx'])(**given | {'knots': given['knots'][:, :4]})
    for full, part in zip(whole, half, strict=True):
        assert part.shape[:2] == (9, 4) and full[:, :4].tobytes() == part.tobytes()


def test_a_module_without_some_of_the_weights_names_them():
    module = open_module()
    torn = replace(module, files={**module.files, 'see.onnx': module.files['step.onnx']})
    with pytest.raises(ValueError, match='lacks the weights encoder.convolutions.0.weight'):
        restore(torn)
