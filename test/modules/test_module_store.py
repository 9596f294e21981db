# SPDX-License-Identifier: Apache-2.0
"""A store: what is right is installed and becomes active, what is not changes nothing."""

from dataclasses import replace
import os
import sys

from ami_ros.modules import active_set
from ami_ros.modules.errors import ModuleError
from ami_ros.modules.module import npy, open_module, shipped, whole
from ami_ros.modules.module_store import leftovers, Store
from ami_ros.modules.trusted_keys import packaged, Who
from ami_ros.robots.find_robot import find
import numpy as np
import pytest

ROVER = find('rover')


class Proof:
    """Proves as it was told to, and remembers what."""

    def __init__(self, device='here', wrong=''):
        self.device, self.wrong, self.asked = device, wrong, []

    def __call__(self, module):
        self.asked.append(module.id)
        if self.wrong:
            raise ModuleError(self.wrong)
        return {'device': self.device}


def later(bench, version='1.0.2', **values):
    """Install another version."""
    return bench.store.install(bench.made(f'v{version}', version=version, **values)).path.name


def active(robot):
    return open_module(None, True, robot.store.folder, robot.trust).manifest['version']


def test_forth_and_back(robot):
    later(robot)
    robot.store.activate(['small-1.0.2'], ROVER, Proof())
    assert active(robot) == '1.0.2'
    assert [one.said for one in robot.store.pointer().history] == [robot.active.said]
    robot.store.rollback(ROVER, Proof())
    assert active(robot) == '1.0.1' and not robot.store.pointer().history
    robot.store.activate(['small-1.0.2'], ROVER, Proof())
    assert active(robot) == '1.0.2'


def test_the_first_goes_back_to_what_comes_with_the_package(robot):
    assert robot.store.rollback(ROVER, Proof()) is None
    module = open_module(None, True, robot.store.folder, robot.trust)
    assert module.path == shipped() and module.signer.startswith('ami_ros-shipped')
    with pytest.raises(ModuleError, match='no set before this one to go back to'):
        robot.store.rollback(ROVER, Proof())


def test_the_active_again_is_nothing_new(robot):
    robot.store.activate(['small'], ROVER, Proof())
    assert not robot.store.pointer().history


def test_goldens_are_asked_where_it_is_activated_and_where_the_device_is_another(robot):
    name, proof = later(robot), Proof('a')
    robot.store.activate([name], ROVER, proof)
    assert len(proof.asked) == 1
    later(robot, '1.0.3')
    robot.store.activate(['small-1.0.3'], ROVER, proof)
    robot.store.rollback(ROVER, proof)
    assert len(proof.asked) == 2, 'the same bytes were proved on this device'
    robot.store.activate(['small-1.0.3'], ROVER, proof)
    proof.device = 'b'
    robot.store.rollback(ROVER, proof)
    assert len(proof.asked) == 4


@pytest.mark.parametrize('how, reason', [
    ({'robot': 'barge'}, 'was made for robot barge, rover has rover'),
    ({'limits': [9.0, 9.0]}, r'action limits \[9.0, 9.0\], rover has'),
    ({'axes': ['w_radps', 'v_mps']}, "action axes .'w_radps', 'v_mps'., rover has"),
    ({'camera': {'size': [64, 64], 'hfov_rad': 0.5}}, 'camera of 0.500 rad, rover has 1.920'),
    ({}, 'is off by'),
])
def test_a_set_that_fails_never_becomes_active(robot, how, reason):
    name, before = later(robot, **how), robot.store.pointer()
    with pytest.raises(ModuleError, match=reason):
        robot.store.activate([name], ROVER, Proof(wrong='' if how else 'see is off by 1'))
    assert robot.store.pointer() == before and active(robot) == '1.0.1'


def ground(bench, **values):
    """Install a map that the builder may sign."""
    bench.store.trust = replace(bench.trust, signers={
        **bench.trust.signers,
        bench.builder.id: Who('builder', bench.builder.public, ('*',), ('*',))})
    return bench.store.install(bench.made(
        'map', name='small-map', kind='ground-map',
        files={'map_cost.npy': npy(np.full((2, 3), 7.0))}, **values)).path.name


def test_a_set_of_two_is_one_mind(robot):
    name = ground(robot, map_cell_m=0.2)
    robot.store.activate(['small-1.0.1', name], ROVER, Proof())
    module = open_module(None, True, robot.store.folder, robot.store.trust)
    assert module.array('map_cost').max() == 7 and module.manifest['map_cell_m'] == 0.2
    assert module.files['see.onnx'] == b'sees' and module.manifest['name'] == 'small'
    assert module.said.startswith('small 1.0.1 (') and ' + small-map 1.0.1 (' in module.said
    robot.store.rollback(ROVER, Proof())
    assert open_module(None, True, robot.store.folder, robot.trust).array('map_cost').max() == 1


@pytest.mark.parametrize('key, other', [
    ('latent_space', 'xyz'), ('axes', ['w_radps', 'v_mps']), ('robot', 'barge'),
    ('limits', [1.0, 1.0]), ('camera', {'size': [32, 32], 'hfov_rad': 1.9})])
def test_modules_that_do_not_agree_make_no_set(robot, key, other):
    name = ground(robot, **{key: other})
    with pytest.raises(ModuleError, match=f'small-1.0.1-.* has {key} .*small-map-.* has '):
        robot.store.activate(['small-1.0.1', name], ROVER, Proof())
    assert active(robot) == '1.0.1' and len(robot.store.pointer().active.modules) == 1


def test_a_set_needs_one_of_each_kind_and_a_mind(robot):
    name = ground(robot)
    with pytest.raises(ModuleError, match='a set needs a rover-jepa'):
        robot.store.activate([name], ROVER, Proof())
    later(robot)
    with pytest.raises(ModuleError, match='are both rover-jepa'):
        robot.store.activate(['small-1.0.1', 'small-1.0.2'], ROVER, Proof())
    with pytest.raises(ModuleError, match='the set has no rover-jepa'):
        whole({})


def test_an_older_one_never_comes_back_but_by_rollback(robot):
    later(robot)
    robot.store.activate(['small-1.0.2'], ROVER, Proof())
    robot.store.rollback(ROVER, Proof())
    robot.store.activate(['small-1.0.2'], ROVER, Proof())
    for attempt in (lambda: robot.store.activate(['small-1.0.1'], ROVER, Proof()),
                    lambda: robot.store.install(robot.module)):
        with pytest.raises(ModuleError, match='has counter 100000001, one with 100000002'):
            attempt()
    assert active(robot) == '1.0.2'


def test_not_unsigned_where_it_is_required_else_with_a_note(robot):
    (robot.module / 'envelope.json').unlink()
    with pytest.raises(ModuleError, match='not signed, which is required here; ami-ros modules k'):
        robot.store.install(robot.module)
    free = replace(robot.trust, required=False)
    other = Store(robot.work / 'other', free)
    module = other.install(robot.module)
    assert module.said.endswith('not signed') and module.counter == 0
    other.activate(['small'], ROVER, Proof())
    with pytest.raises(ModuleError, match='is not signed, which is required here'):
        open_module(None, True, other.folder, free)
    assert open_module(None, False, other.folder, free).id == module.id


def test_what_is_removed(robot):
    later(robot)
    with pytest.raises(ModuleError, match='small-1.0.1-.* is active'):
        robot.store.remove('small-1.0.1')
    robot.store.activate(['small-1.0.2'], ROVER, Proof())
    assert robot.store.remove('small-1.0.1') == [
        '1 earlier sets had it; there is no going back to them']
    assert [one.folder for one in robot.store.found()] == [
        robot.store.pointer().active.modules[0].folder]
    assert not leftovers(robot.store.folder)
    with pytest.raises(ModuleError, match="'nothing' is none of the installed modules: small-1"):
        robot.store.remove('nothing')


def test_a_damaged_one_is_told_and_mended_by_installing_it_again(robot):
    (robot.installed / 'see.onnx').write_bytes(b'evil')
    found, = robot.store.found()
    assert found.module is None and found.active and 'see.onnx is not the file' in found.wrong
    with pytest.raises(ModuleError, match='see.onnx is not the file that was signed'):
        robot.store.activate(['small'], ROVER, Proof())
    robot.store.install(robot.module)
    assert active(robot) == '1.0.1'


def test_two_at_once_wait_for_each_other(robot):
    """Eight processes install and activate; all of it is there afterwards."""
    versions = [f'1.1.{n}' for n in range(8)]
    paths = {v: robot.made(f'v{v}', version=v) for v in versions}
    children = []
    for version in versions:
        child = os.fork()
        if child == 0:
            try:
                name = robot.store.install(paths[version]).path.name
                robot.store.activate([name], ROVER, Proof())
            except ModuleError as why:
                os._exit(0 if 'was active here' in str(why) else 1)
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 8
    now = robot.store.pointer()
    assert now.active.modules[0].version == '1.1.7' and now.minimum['small'] == 1_0001_0007
    assert active(robot) == '1.1.7'


def test_history_is_bounded(robot):
    for n in range(active_set.HISTORY + 3):
        robot.store.activate([later(robot, f'1.1.{n}')], ROVER, Proof())
    assert len(robot.store.pointer().history) == active_set.HISTORY


def test_a_full_disk_leaves_nothing_behind(robot):
    class Full(type(robot.store.disk)):
        def do(self, what, path, *more):
            if what == 'write' and path.name == 'step.onnx':
                raise OSError(28, 'No space left on device')
            super().do(what, path, *more)

    store = Store(robot.store.folder, robot.trust, True, Full())
    with pytest.raises(OSError, match='No space left'):
        store.install(robot.made('v', version='1.0.2'))
    assert not leftovers(store.folder) and len(store.names()) == 1


def test_all_that_writes_goes_through_the_seam(robot):
    """Python's own audit sees every file that is written or renamed; the seam has to know each."""
    events, knows = [], []

    class Watched(type(robot.store.disk)):
        def do(self, what, path, *more):
            knows.append(what)
            super().do(what, path, *more)
            knows.pop()

    watched = True

    def audit(event, args):
        if not watched or knows:
            return
        if (event in ('os.mkdir', 'os.rename', 'os.remove', 'os.rmdir', 'os.truncate', 'os.link',
                      'os.symlink', 'shutil.rmtree')
                or event == 'open' and (args[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
            events.append((event, str(args[0])))

    sys.addaudithook(audit)
    store = Store(robot.store.folder, robot.trust, True, Watched())
    new = robot.made('v', version='1.0.2')
    events.clear()
    store.install(new)
    store.activate(['small-1.0.2'], ROVER, Proof())
    store.rollback(ROVER, Proof())
    store.activate(['small-1.0.2'], ROVER, Proof())
    store.remove('small-1.0.1')
    watched = False
    assert {path for _, path in events} == {str(store.folder / '.lock')}


def test_the_shipped_one_can_be_installed_and_proved(tmp_path):
    from ami_ros.inference.golden_check import Prover
    store = Store(tmp_path / 'store', packaged(), True)
    store.install(shipped())
    made = store.activate(['rover-room-7'], ROVER, Prover())
    assert made.proof['device'].startswith('onnx, float32, onnxruntime ')
    assert set(made.proof['off']) == {'see', 'step', 'imagine', 'imagine_4'}
    assert open_module(None, True, store.folder).manifest['name'] == 'rover-room-7'
