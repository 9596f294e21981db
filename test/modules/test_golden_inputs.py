# SPDX-License-Identifier: Apache-2.0
"""Golden inputs: a network that says something else is noticed; schema; the card of a module."""

from dataclasses import replace
import json

from ami_ros.inference import backend
from ami_ros.inference.encoder_and_dynamics import Networks
from ami_ros.inference.golden_check import Prover
from ami_ros.modules import golden_inputs, schema
from ami_ros.modules.errors import ModuleError
from ami_ros.modules.module import open_module
from ami_ros.modules.module_card import card
import jsonschema
import numpy as np
import pytest


@pytest.fixture(scope='module')
def opened():
    module = open_module()
    return module, {name.removesuffix('.onnx'): backend('onnx')(data)
                    for name, data in module.files.items() if name.endswith('.onnx')}


def test_the_shipped_module_says_what_it_said(opened):
    module, networks = opened
    off = golden_inputs.check(module, networks)
    assert set(off) == set(networks) == {'see', 'step', 'imagine', 'imagine_4'}
    assert max(off.values()) < 2e-5, 'far within the tolerance on what made it'
    assert Prover()(module)['off'].keys() == off.keys()


def test_goldens_are_asked_of_pictures_that_were_recorded(opened):
    given, expected = golden_inputs.read(opened[0])['see']
    picture = given['picture']
    assert picture.shape == (4, 64, 64, 3) and picture.std() > 10 and picture.max() > 100
    assert not np.array_equal(picture[0], picture[1]) and len(expected) == 4


@pytest.mark.parametrize('name', ['see', 'step', 'imagine', 'imagine_4'])
@pytest.mark.parametrize('fault, reason', [
    (lambda out: [out[0] + 1e-3 * np.abs(out[0]).max() + 1e-3, *out[1:]], 'is off by'),
    (lambda out: [*out[:-1], out[-1] * np.float32('nan')], 'is off by nan'),
    (lambda out: out[:-1], 'is off by inf'),
    (lambda out: [out[0][:1], *out[1:]], 'is off by inf')])
def test_another_answer_is_noticed(opened, name, fault, reason):
    module, networks = opened
    with pytest.raises(ModuleError, match=f'{name} of rover-room-7 {reason}'):
        golden_inputs.check(module, {name: lambda **given: fault(networks[name](**given))})


def test_another_network_in_its_place_is_noticed(opened):
    """Weights are off by a hundredth: a whole, signed file, and another answer."""
    module, _ = opened
    import onnx
    from onnx import numpy_helper
    model = onnx.load_from_string(module.files['see.onnx'])
    tensor = max(model.graph.initializer, key=lambda one: len(one.raw_data))
    array = numpy_helper.to_array(tensor).copy()
    array *= 1 + 0.01 * np.random.default_rng(0).normal(size=array.shape).astype(array.dtype)
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    other = replace(module, files={**module.files, 'see.onnx': model.SerializeToString()})
    with pytest.raises(ModuleError, match='see of rover-room-7 is off by'):
        Networks(other)


def test_a_precision_without_a_tolerance_is_refused(opened):
    with pytest.raises(ModuleError, match='no tolerance for int3, only for float16, float32'):
        golden_inputs.check(*opened, 'int3')


def test_goldens_that_cannot_be_asked(opened):
    module, networks = opened
    torn = replace(module, files={**module.files,
                                  golden_inputs.FILE: module.files[golden_inputs.FILE][:-40]})
    with pytest.raises(ModuleError, match='golden.npz has no golden inputs that can be read'):
        golden_inputs.check(torn, networks)
    lost = replace(module, files={n: d for n, d in module.files.items()
                                  if n != golden_inputs.FILE})
    with pytest.raises(ModuleError, match='golden.npz lacks'):
        golden_inputs.check(lost, networks)
    with pytest.raises(ModuleError, match='no golden inputs for dream'):
        golden_inputs.check(module, {'dream': networks['see']})
    bare = replace(module, manifest={k: v for k, v in module.manifest.items() if k != 'golden'})
    assert golden_inputs.check(bare, networks) == {}
    with pytest.raises(ModuleError, match='carries no golden inputs, so nobody can tell'):
        Prover()(bare)


def test_the_same_goldens_are_made_again(opened):
    """The same inputs to the bit; the outputs as close as another CPU's sums come."""
    module, networks = opened
    held = golden_inputs.read(module)
    pictures = held['see'][0]['picture'].astype(np.uint8)
    data, said = golden_inputs.make(networks, pictures, tuple(module.manifest['limits']), 8)
    made = golden_inputs.read(replace(module, files={**module.files, golden_inputs.FILE: data}))
    assert said == module.manifest['golden'] and set(made) == set(held)
    for name, (given, expected) in held.items():
        again, got = made[name]
        assert given.keys() == again.keys()
        for key in given:       # latents among the inputs come from `see` on this CPU
            latent = key in ('z', 'goal')
            assert np.allclose(given[key], again[key], rtol=0, atol=2e-5 if latent else 0), key
        assert golden_inputs.distance(got, expected) < 2e-5


# the schema

def test_the_shipped_manifest_fits_the_schema():
    jsonschema.Draft202012Validator.check_schema(schema.manifest())
    assert schema.problems(open_module().manifest, schema.manifest()) == []


@pytest.mark.parametrize('changes, said', [
    ({'name': 'a b'}, "name: 'a b' does not match"),
    ({'name': 3}, "name: 3 is not of type 'string'"),
    ({'version': '1.0'}, "version: '1.0' does not match"), ({'axes': []}, 'axes: [] '),
    ({'axes': [1]}, "axes[0]: 1 is not of type 'string'"),
    ({'horizon': 0}, 'horizon: 0 is less than the minimum of 1'),
    ({'horizon': True}, "horizon: True is not of type 'integer'"),
    ({'format': 2}, 'format: 1 was expected'),
    ({'camera': {'size': [64], 'hfov_rad': 1}}, 'camera.size: [64] is too short'),
    ({'files': {}}, 'files: {} '),
    ({'files': {'a': 1}}, "files.a: 1 is not of type 'string'"),
    ({'golden': {'file': 'x'}}, "golden: 'tolerance' is a required property"),
    ({'surprise_scale': float('inf')}, "surprise_scale: inf is not of type 'number'"),
    ({'figures': [{'what': 'x'}]}, "figures[0]: 'value' is a required property"),
    ({'robot': ['x' * 1000]}, 'robot: ')])
def test_a_manifest_against_the_schema(changes, said):
    found = schema.problems({**open_module().manifest, **changes}, schema.manifest())
    assert any(one.startswith(said) for one in found), found
    assert all(len(one) <= schema.LONGEST for one in found)


# the card

def test_the_card_says_it_all():
    module = open_module()
    page = card(module)
    for part in ('# rover-room-7', module.id, 'ami_ros-shipped', 'simulated, room 7, seed 0',
                 '40088 frames', 'Apache-2.0', '64 x 64', 'effective_rank', 'float16 0.02',
                 '## Figures', '## Limits', '## Gates', 'v_mps up to 0.6'):
        assert part in page, part
    assert len(page.split('\n')) < 90 and 'None' not in page


def test_the_card_says_what_is_missing():
    module = open_module()
    bare = {key: module.manifest[key] for key in schema.manifest()['required']}
    page = card(replace(module, manifest=bare, signer=''))
    assert page.count('the manifest does not say') >= 4 and '| nobody |' in page
    assert 'cannot be activated' in page
    more = {**bare, 'figures': [{'what': 'success', 'value': '95 %', 'protocol': 'evaluate 20'}],
            'limits_of_use': ['not in the dark'], 'lineage': {'parents': ['a', 'b']},
            'licence': 'MIT', 'made': json.dumps(1)}
    page = card(replace(module, manifest=more))
    assert '| success | 95 % | evaluate 20 |' in page and '- not in the dark' in page
    assert 'made from' in page
