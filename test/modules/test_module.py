# SPDX-License-Identifier: Apache-2.0
"""A module folder opens whole or not at all, and says which file is wrong and why."""

from dataclasses import replace
import json

from ami_ros.modules import schema
from ami_ros.modules.module import (
    digest,
    fits,
    FORMAT,
    Module,
    ModuleError,
    npy,
    open_module,
    shipped,
    write,
)
from ami_ros.robots.find_robot import find
import numpy as np
import pytest

ROVER = find('rover')
FILES = {'see.onnx': b'sees', 'step.onnx': b'steps', 'imagine.onnx': b'imagines',
         'map_cost.npy': npy(np.arange(6.0).reshape(2, 3))}
MANIFEST = {'name': 'small', 'version': '1.0.0', 'latent_space': 'abc', 'robot': 'rover',
            'axes': ['v_mps', 'w_radps'], 'limits': [0.6, 1.5], 'horizon': 8, 'map_cell_m': 0.1,
            'surprise_scale': 0.1,
            'camera': {'size': [64, 64], 'hfov_rad': ROVER.camera_hfov_rad}}


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / 'small', MANIFEST, FILES)
    return tmp_path / 'small'


def change(folder, **values) -> None:
    """Change the manifest; None removes a key."""
    path = folder / 'manifest.json'
    manifest = {**json.loads(path.read_text()), **values}
    path.write_text(json.dumps({k: v for k, v in manifest.items() if v is not None}))


def refused(folder, *parts, robot=None) -> str:
    with pytest.raises(ModuleError) as wrong:
        made = open_module(folder)
        fits(made, robot or ROVER)
    sentence = str(wrong.value)
    assert all(str(part) in sentence for part in parts), sentence
    assert '\n' not in sentence
    return sentence


def test_what_was_written_opens(folder):
    module = open_module(folder)
    assert module.files == FILES and module.path == folder
    assert module.manifest == {**MANIFEST, 'format': FORMAT,
                               'files': {n: digest(d) for n, d in FILES.items()}}
    assert np.array_equal(module.array('map_cost'), np.arange(6.0).reshape(2, 3))
    assert module.camera_size == (64, 64)
    fits(module, ROVER)
    assert open_module(str(folder)).manifest == module.manifest


def test_writing_again_replaces_the_manifest_last(folder, monkeypatch):
    """A writer that dies between two files leaves no module, rather than half a one."""
    class Dies(dict):
        def items(self):
            yield 'see.onnx', b'other'
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(folder, MANIFEST, Dies())
    refused(folder, folder, 'not manifest.json')


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('damage', [
    lambda data: bytes([data[0] ^ 1]) + data[1:], lambda data: data[:-1] + bytes([data[-1] ^ 128]),
    lambda data: data[:-1], lambda data: data + b'\0', lambda data: b''])
def test_a_file_with_other_bytes(folder, name, damage):
    data = damage(FILES[name])
    (folder / name).write_bytes(data)
    refused(folder, folder / name, digest(data)[:12], digest(FILES[name])[:12])


@pytest.mark.parametrize('name', FILES)
def test_a_file_that_is_missing(folder, name):
    (folder / name).unlink()
    refused(folder, folder, f'lacks {name}')


@pytest.mark.parametrize('name', ['../secret', '/etc/passwd', 'inner/see.onnx', 'inner/../x', '',
                                  '..', '.', '-x', '.hidden', 'a\\b', 'see\0', 'manifest.json',
                                  'envelope.json'])
def test_a_path_that_leaves_the_folder(folder, name):
    (folder.parent / 'secret').write_bytes(b'secret')
    change(folder, files={**{n: digest(d) for n, d in FILES.items()}, name: digest(b'secret')})
    refused(folder, folder / 'manifest.json', repr(name), 'leaves its folder')


def test_another_format(folder):
    change(folder, format=FORMAT + 1)
    refused(folder, folder / 'manifest.json', f'format {FORMAT + 1}', f'reads {FORMAT}')


@pytest.mark.parametrize('text', ['', '{', '[]', '3', 'null', '{"files": 3, "format": 1}',
                                  '{"format": 1}', '{"files": {}}', '"\\ud800'])
def test_a_manifest_that_is_none(folder, text):
    (folder / 'manifest.json').write_text(text)
    refused(folder, folder / 'manifest.json', 'is damaged')


def test_a_manifest_that_is_no_text(folder):
    (folder / 'manifest.json').write_bytes(b'\xff\xfe\x00')
    refused(folder, folder / 'manifest.json', 'is damaged')


REQUIRED = schema.manifest()['required']


@pytest.mark.parametrize('key', ['name', 'version', 'latent_space', 'robot', 'axes', 'limits',
                                 'camera', 'horizon', 'map_cell_m', 'surprise_scale'])
def test_a_manifest_that_lacks_a_key(folder, key):
    change(folder, **{key: None})
    said = f"'{key}' is a required property" if key in REQUIRED else f'does not say {key}'
    refused(folder, folder / 'manifest.json', said)


def test_a_manifest_that_lists_no_network(folder):
    change(folder, files={n: digest(d) for n, d in FILES.items() if n != 'step.onnx'})
    refused(folder, folder / 'manifest.json', 'does not say step.onnx')


@pytest.mark.parametrize('path', ['nowhere', 'small/see.onnx', ''])
def test_a_folder_that_is_no_module(folder, path, tmp_path):
    there = tmp_path / path if path else tmp_path
    refused(there, there, 'is not a module', "['small']" if there == tmp_path else 'nothing')


@pytest.mark.parametrize('values, parts', [
    ({'robot': 'barge'}, ('small', 'robot barge', 'rover has rover')),
    ({'limits': [0.7, 1.5]}, ('action limits [0.7, 1.5]', 'rover has [0.6, 1.5]')),
    ({'limits': 0.6}, ("limits: 0.6 is not of type 'array'",)),
    ({'axes': ['w_radps', 'v_mps']}, ("['w_radps', 'v_mps']", "['v_mps', 'w_radps']")),
    ({'camera': {'size': [64, 64], 'hfov_rad': 1.2}}, ('camera of 1.200 rad', 'has 1.920 rad')),
    ({'camera': {'size': [64, 64], 'hfov_rad': float('nan')}}, ('NaN is no number',)),
    ({'camera': {'size': [64, 64]}}, ("camera: 'hfov_rad' is a required property",)),
    ({'camera': {'hfov_rad': 1.92, 'size': 64}}, ('camera.size: 64 is not of type',)),
    ({'camera': 'wide'}, ('manifest.json', "camera: 'wide' is not of type 'object'")),
])
def test_a_module_for_something_else_names_both_sides(folder, values, parts):
    change(folder, **values)
    refused(folder, *parts)


def test_another_robot_is_refused_from_the_other_side_too(folder):
    refused(folder, 'rover has [0.6, 1.0]', robot=replace(ROVER, max_turn_radps=1.0))
    refused(folder, 'robot rover, barge has barge', robot=replace(ROVER, name='barge'))


def test_a_camera_that_nobody_told_of_is_not_held_against_it(folder):
    change(folder, camera={'size': [64, 64], 'hfov_rad': None})
    fits(open_module(folder), ROVER)


def test_any_flipped_bit_of_the_manifest_is_refused_or_harmless(folder):
    path, rng = folder / 'manifest.json', np.random.default_rng(0)
    whole, refusals = path.read_bytes(), 0
    for at in rng.integers(0, len(whole), 400):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << rng.integers(8))])
                         + whole[at + 1:])
        try:
            fits(open_module(folder), ROVER)
        except ModuleError as wrong:
            refusals += 1
            assert str(folder) in str(wrong) or 'small' in str(wrong)
    assert refusals > 300


def test_an_array_that_is_not_there_or_is_none(folder):
    module = open_module(folder)
    with pytest.raises(ModuleError, match='has no map_origin.npy; it has: .*map_cost.npy'):
        module.array('map_origin')
    torn = Module(folder, MANIFEST, {'map_cost.npy': FILES['map_cost.npy'][:-9], 'x.npy': b''})
    for name in ('map_cost', 'x'):
        with pytest.raises(ModuleError, match=f'{name}.npy is no array file'):
            torn.array(name)


def test_no_array_is_ever_unpickled():
    with pytest.raises(ValueError):
        npy(np.array([{}], object))


# the one that comes with the package

def test_the_shipped_module_is_small_and_opens():
    path = shipped()
    assert sum(f.stat().st_size for f in path.iterdir()) <= 10e6
    module = open_module()
    assert module.path == path and module.manifest['name'] == path.name
    fits(module, ROVER)


def test_the_shipped_module_says_what_made_it():
    manifest = open_module().manifest
    lineage = manifest['lineage']
    assert set(json.loads(lineage['collected'])) >= {'world_seed', 'seed', 'drives', 'frames'}
    assert json.loads(lineage['collected'])['sha256'] == lineage['bag_sha256']
    assert manifest['recipe']['seed'] >= 0 and manifest['licence'] == 'Apache-2.0'
    assert all(manifest['gates'][name] is not None for name in manifest['gates'])


def test_no_module_at_all_says_how_to_make_one(monkeypatch, tmp_path):
    monkeypatch.setattr('ami_ros.modules.module.SHIPPED', tmp_path)
    with pytest.raises(ModuleError, match='make one with ami-ros collect and ami-ros train'):
        open_module('')
