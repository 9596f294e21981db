# SPDX-License-Identifier: Apache-2.0
"""Of kept engines only what was built for exactly this, here, by us, and is whole, comes back."""

from dataclasses import fields, replace
import os

from ami_ros.inference.tensorrt_engine_cache import Cache, judged, Key
import pytest

KEY = Key('a' * 64, '10.3.0', 'Orin', (8, 7), 12060, 'float16', (1, 64, 1024))
OTHER = {'network': 'b' * 64, 'tensorrt': '10.16.2', 'gpu': 'Thor', 'capability': (11, 0),
         'driver': 13000, 'precision': 'float32', 'profile': (1, 64, 512), 'options': 'x'}
BODY = bytes(range(256)) * 4


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / 'engines')


def test_what_was_kept_comes_back_and_also_to_the_next_process(cache):
    assert cache.get(KEY) is None
    cache.put(KEY, BODY)
    assert cache.get(KEY) == BODY == Cache(cache.folder).get(KEY)
    assert [p.suffix for p in cache.folder.iterdir()] == ['.engine']


def test_other_covers_every_part_of_the_key():
    assert set(OTHER) == {f.name for f in fields(Key)}


@pytest.mark.parametrize('part', OTHER)
def test_one_for_anything_else_is_another(cache, part):
    cache.put(KEY, BODY)
    assert cache.get(replace(KEY, **{part: OTHER[part]})) is None


@pytest.mark.parametrize('part', OTHER)
def test_a_foreign_one_under_our_name_is_discarded(cache, part, caplog):
    foreign = replace(KEY, **{part: OTHER[part]})
    cache.put(foreign, BODY)
    (cache.folder / foreign.name).rename(cache.folder / KEY.name)
    assert cache.get(KEY) is None and 'it was built for' in caplog.text
    assert not (cache.folder / KEY.name).exists()


def test_every_flipped_byte_and_every_cut_is_found(cache):
    cache.put(KEY, BODY)
    whole = (cache.folder / KEY.name).read_bytes()
    assert judged(whole, KEY.text) == ('', BODY)
    for at in range(len(whole)):
        torn = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:]
        assert judged(torn, KEY.text)[0], f'byte {at}'
    for at in range(0, len(whole), 7):
        assert judged(whole[:at], KEY.text)[0], f'cut at {at}'
    assert judged(whole + b'\0', KEY.text)[0]


@pytest.mark.parametrize('data', [b'', b'junk', b'ami_ros engine 1\n\xff\xff\xff\xff{}',
                                  b'ami_ros engine 1\n\x02\x00\x00\x00[]'])
def test_junk_is_discarded_and_said(cache, data, caplog):
    cache.folder.mkdir(exist_ok=True)
    (cache.folder / KEY.name).write_bytes(data)
    assert cache.get(KEY) is None and 'is discarded' in caplog.text


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path, caplog):
    folder = tmp_path / 'open'
    folder.mkdir()
    Cache(folder).put(KEY, BODY)
    os.chmod(folder, 0o777)
    cache = Cache(folder)
    assert cache.get(KEY) is None and 'chmod go-w' in caplog.text
    cache.put(replace(KEY, gpu='Thor'), BODY)
    assert len(list(folder.iterdir())) == 1


def test_a_folder_that_cannot_be_made_and_a_full_disk_cost_a_build_and_no_more(tmp_path, caplog,
                                                                              monkeypatch):
    (tmp_path / 'file').write_text('')
    lost = Cache(tmp_path / 'file' / 'engines')
    lost.put(KEY, BODY)
    assert lost.get(KEY) is None and 'cannot be made' in caplog.text
    cache = Cache(tmp_path / 'full')

    def full(fd):
        raise OSError(28, 'No space left on device')
    monkeypatch.setattr(os, 'fsync', full)
    cache.put(KEY, BODY)
    assert cache.get(KEY) is None and 'No space left' in caplog.text
    assert list(cache.folder.iterdir()) == []


def test_without_a_folder_nothing_is_kept():
    cache = Cache(None)
    cache.put(KEY, BODY)
    assert cache.get(KEY) is None and cache.timings(KEY) == b''


def test_timings_are_those_of_one_gpu_and_version_and_of_all_networks(cache):
    cache.put_timings(KEY, b'learned')
    assert cache.timings(replace(KEY, network='b' * 64, precision='float32')) == b'learned'
    for part in ('tensorrt', 'gpu', 'capability', 'driver'):
        assert cache.timings(replace(KEY, **{part: OTHER[part]})) == b''
