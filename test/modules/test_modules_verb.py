# SPDX-License-Identifier: Apache-2.0
"""`ami-ros modules`: a builder's and an owner's way from a folder to the active set and back."""

import json
import time

from ami_ros.cli import main as cli
from ami_ros.modules.module import shipped
import pytest


@pytest.fixture
def ami(capsys, tmp_path, monkeypatch):
    """Run `ami-ros modules` in a folder of its own; return what it said."""
    monkeypatch.chdir(tmp_path)

    def run(*words, wrong='') -> str:
        status = cli.main(['modules', *map(str, words)])
        out, err = capsys.readouterr()
        assert (status != 0) == bool(wrong), err
        assert wrong in err and err.count('\n') <= 1, err
        return out
    return run


@pytest.fixture
def built(tmp_path):
    """Return a module as `ami-ros train` writes it, unsigned."""
    out = tmp_path / 'kitchen'
    out.mkdir()
    for path in shipped().iterdir():
        (out / path.name).write_bytes(path.read_bytes())
    (out / 'envelope.json').unlink()
    manifest = json.loads((out / 'manifest.json').read_text())
    (out / 'manifest.json').write_text(json.dumps({**manifest, 'name': 'kitchen',
                                                   'version': '1.0.0'}))
    return out


def test_the_way_of_a_module(ami, built, tmp_path):
    keys = ('--keys', tmp_path / 'keys')
    ami('verify', built, wrong='is not signed, which is required here; ami-ros modules keygen')
    ami('sign', built, '--key', 'anna', *keys, wrong='anna.pem cannot be read: No such file')
    assert 'trusted here for names kitchen, kinds *' in ami(
        'keygen', 'anna', '--names', 'kitchen', *keys)
    ami('keygen', 'anna', *keys, wrong='a key is never written over')
    ami('keygen', '../anna', *keys, wrong="'../anna' is no name for a key")
    assert 'counter 100000000' in ami('sign', built, '--key', 'anna', *keys)
    assert 'every byte as signed' in ami('verify', built)
    assert 'kitchen-1.0.0.module.tar' in ami('pack', built)
    first = (tmp_path / 'kitchen-1.0.0.module.tar').read_bytes()
    ami('pack', built)
    assert (tmp_path / 'kitchen-1.0.0.module.tar').read_bytes() == first
    assert 'nothing to roll back to' in ami('list')
    ami('rollback', wrong='there is no set before this one')
    assert 'signed by anna' in ami('install', 'kitchen-1.0.0.module.tar')
    assert 'active: kitchen 1.0.0' in ami('activate', 'kitchen')
    said = ami('list')
    assert '* kitchen 1.0.0' in said and 'a rollback brings the module that comes with' in said
    assert 'kitchen 1.0.0' in ami('verify') and '# kitchen' in ami('card')
    assert 'see.onnx' in ami('show', 'kitchen-1.0.0')
    ami('remove', 'kitchen', wrong='is active; activate another, or roll back')
    assert 'active: the module that comes with the package' in ami('rollback')
    assert 'removed kitchen' in ami('remove', 'kitchen')
    assert 'rover-room-7' in ami('show')


def test_on_another_machine_the_key_has_to_be_trusted(ami, built, tmp_path, monkeypatch):
    ami('keygen', 'anna', '--keys', tmp_path / 'keys')
    ami('sign', built, '--key', tmp_path / 'keys' / 'anna.pem')
    monkeypatch.setenv('AMI_ROS_TRUST', str(tmp_path / 'robot'))
    ami('install', built, wrong='which nobody here trusts; trusted: ami_ros-shipped')
    ami('trust', tmp_path / 'keys' / 'anna.pub', '--names', 'cellar')
    ami('install', built, wrong="anna may not sign a module of name 'kitchen', only cellar")
    ami('trust', tmp_path / 'keys' / 'anna.pub')
    assert 'installed kitchen' in ami('install', built)


def test_unsigned_where_one_says_so(ami, built):
    ami('install', built, wrong='is not signed')
    assert 'not signed' in ami('install', built, '--unsigned')
    ami('activate', 'kitchen', wrong='is not signed')
    assert 'active: kitchen' in ami('activate', 'kitchen', '--unsigned')
    assert 'not signed' in ami('list')


def test_a_rollback_takes_less_than_a_second(ami, built, tmp_path):
    """In one process; docs/results.md has the whole command."""
    ami('keygen', 'anna', '--keys', tmp_path / 'keys')
    ami('sign', built, '--key', tmp_path / 'keys' / 'anna.pem')
    ami('install', built)
    ami('install', shipped())
    ami('activate', 'rover-room-7')
    ami('activate', 'kitchen')
    begun = time.thread_time()
    ami('rollback')
    assert time.thread_time() - begun < 1.0


def test_what_comes_with_the_package_is_found_by_the_name_that_list_says(ami, built, tmp_path):
    name = shipped().name
    assert name in ami('list')
    for word in ('show', 'card', 'verify'):
        assert name in ami(word, name)
    ami('show', 'hall', wrong="'hall' is none of the installed modules: there are none")
    keys = ('--keys', tmp_path / 'keys')
    ami('keygen', 'mine', *keys)
    (built / 'manifest.json').write_text((built / 'manifest.json').read_text().replace(
        '"kitchen"', f'"{name}"'))
    ami('sign', built, '--key', 'mine', *keys)
    installed = ami('install', built).partition('activate ')[2].strip()
    assert installed in ami('show', name)                 # one of the same name goes before it
