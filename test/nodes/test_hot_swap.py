# SPDX-License-Identifier: Apache-2.0
"""Another set becomes active while the robot drives: each picture has its plan, the goal stays."""

import json
import subprocess
import sys

from ami_ros.modules import signing_keys
from ami_ros.modules import trusted_keys as trust
from ami_ros.modules.module import shipped
from ami_ros.modules.module_store import Store
from ami_ros.modules.signing import sign
from ami_ros.robots.find_robot import find
from fake_mind_peers import Minded, NS, PERIOD_NS, picture
import pytest

REAL = ['-c', 'from ami_ros.nodes.mind_node import main; raise SystemExit(main())']


class Proof:
    device = 'here'

    def __call__(self, module):
        return {'device': self.device}


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Make a store with the shipped module, active, and a copy of it as version 9.9.9."""
    monkeypatch.setenv('AMI_ROS_TRUST', str(tmp_path / 'trust'))
    key, copy = signing_keys.Signer.new(), tmp_path / 'copy'
    trust.admit(tmp_path / 'trust', 'test', key.public, ['*'], ['*'])
    copy.mkdir()
    for path in shipped().iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    manifest = json.loads((copy / 'manifest.json').read_text())
    (copy / 'manifest.json').write_text(json.dumps({**manifest, 'version': '9.9.9'}))
    sign(copy, key)
    made = Store(tmp_path / 'store', trust.trust(), True)
    for path in (shipped(), copy):
        made.install(path)
    made.activate([f'rover-room-7-{manifest["version"]}'], find('rover'), Proof())
    return made


class Shown(Minded):
    """A mind of real networks, and pictures that are shown one after the other."""

    def __init__(self, bench, store):
        self.frames = iter(range(1000 * NS, 9000 * NS, PERIOD_NS))
        super().__init__(bench, module_store_dir=str(store.folder))

    def next(self):
        """Show one picture; return its plan."""
        return self.answered(next(self.frames), None, ('odom', 'imu', 'camera'))

    def until(self, happened, most=300):
        """Show pictures until something is so; each has to have its plan, with the same goal."""
        for _ in range(most):
            plan = self.next()
            assert plan.goal == 1
            if happened(self.health().values):
                return
        raise AssertionError(f'not so: {self.health()}')


def test_a_set_is_taken_up_and_one_that_is_broken_is_not(bench, store, monkeypatch):
    monkeypatch.setattr(bench.processes, 'programs', Programs(bench.processes.programs))
    mind = Shown(bench, store)
    mind.order(picture(1000), 1)
    mind.until(lambda values: 'rover-room-7 1.' in values.get('module', ''))
    store.activate(['rover-room-7-9.9.9'], find('rover'), Proof())
    mind.until(lambda values: 'rover-room-7 9.9.9' in values['module'])
    assert mind.health().values['module'].endswith(
        f'signed by test ({store.pointer().active.modules[0].signer[6:18]})')
    broken = store.folder / store.pointer().history[0].modules[0].folder / 'see.onnx'
    whole = broken.read_bytes()
    broken.write_bytes(whole[:-1] + b'!')
    now = store.pointer()
    store.point(type(now)(now.history[0], (now.active,), now.minimum))    # by an older hand
    mind.until(lambda values: 'was not loaded' in values.get('notes', ''))
    said = mind.health()
    assert 'see.onnx is not the file that was signed' in said.values['notes'] and said.level == 0
    assert 'rover-room-7 9.9.9' in said.values['module']
    broken.write_bytes(whole)
    store.point(now)
    mind.until(lambda values: 'notes' not in values or 'not loaded' not in values['notes'])
    store.rollback(find('rover'), Proof())
    mind.until(lambda values: 'rover-room-7 1.' in values['module'])


class Programs(dict):
    """Programs of the processes; the mind is always the real one."""

    def __getitem__(self, name):
        return REAL if name == 'mind' else super().__getitem__(name)


def test_an_unsigned_module_is_refused_by_a_robot_and_told_how_to_sign(tmp_path):
    copy = tmp_path / 'copy'
    copy.mkdir()
    for path in shipped().iterdir():
        if path.name != 'envelope.json':
            (copy / path.name).write_bytes(path.read_bytes())
    got = subprocess.run([sys.executable, *REAL, '--ros-args', '-p', f'module:={copy}', '-p',
                          'autostart:=true', '-p', 'robot:=rover'], capture_output=True, text=True)
    assert got.returncode == 1
    assert 'is not signed, which is required here; ami-ros modules keygen' in got.stderr


@pytest.mark.slow
def test_in_real_time_no_picture_is_missed(tmp_path, monkeypatch):
    """Slow pictures, since other tests may run beside this one; benchmarks.hot_swap has ten."""
    pytest.importorskip('pybullet', reason='needs pybullet: make setup')
    monkeypatch.setenv('AMI_ROS_TRUST', str(tmp_path / 'trust'))
    from ami_ros.validation.benchmarks import hot_swap
    said = hot_swap.run(tmp_path, swaps=2, camera_hz=5, seed=500, every_s=1.0, rollbacks=0)
    assert said['swaps'] == 2 and said['around_swaps']['pictures'] >= 10
    assert said['longest_without_s']['verdict'] < 2 and said['collisions'] == 0
    if said['elsewhere']['missed'] or said['from_order_to_followed_s']['max'] > 4:
        pytest.skip(f'this machine is too busy to tell: a swap takes a second, not {said}')
    assert said['around_swaps']['missed'] == 0, said
