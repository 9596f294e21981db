# SPDX-License-Identifier: Apache-2.0
"""Whatever the bytes are: what is no module is refused in one sentence, never by a crash."""

import json

from ami_ros.modules import active_set, archive, canonical_json
from ami_ros.modules import signature_envelope as envelope
from ami_ros.modules.errors import ModuleError
from ami_ros.modules.module import examine, MANIFEST
from ami_ros.modules.trusted_keys import Trust
from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import pytest

ANY = settings(max_examples=100, deadline=None, derandomize=True,
               suppress_health_check=list(HealthCheck))
KEYS = st.sampled_from([
    'format', 'files', 'name', 'version', 'kind', 'camera', 'size', 'hfov_rad', 'axes', 'limits',
    'payload', 'payloadType', 'signatures', 'keyid', 'sig', 'subject', 'predicate', 'digest',
    'sha256', '_type', 'counter', 'active', 'history', 'minimum', 'modules', 'folder', 'golden',
    'latent_space', 'robot', 'horizon', 'see.onnx'])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text()
    | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([
        envelope.PAYLOAD_TYPE, envelope.STATEMENT, envelope.PREDICATE, '1.0.0']),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=8), max_leaves=30)


def one_sentence(ask, *more) -> None:
    """Ask; whatever is wrong has to be a ModuleError of one line."""
    try:
        ask(*more)
    except ModuleError as why:
        assert '\n' not in str(why) and len(str(why)) > 10


@ANY
@given(st.binary(max_size=3000))
def test_archives_of_any_bytes(data):
    with pytest.raises(ModuleError):
        archive.unpack(data, 'it')


@ANY
@given(st.dictionaries(st.from_regex(envelope.NAME, fullmatch=True), st.binary(max_size=1500),
                       max_size=6), st.integers(0, 10**6), st.integers(1, 255))
def test_archives_that_are_almost_right(files, at, by):
    """What is packed comes out again; with any one byte changed nothing does."""
    packed = bytearray(archive.pack(files))
    assert archive.unpack(bytes(packed), 'it') == files
    packed[at % len(packed)] ^= by
    try:
        assert archive.unpack(bytes(packed), 'it') != files     # contents: the hashes see to them
    except ModuleError:
        pass


@ANY
@given(JSON)
def test_envelopes_of_any_json(value):
    one_sentence(envelope.read, json.dumps(value).encode())
    one_sentence(envelope.read, canonical_json.canonical(value))
    one_sentence(envelope.statement_of, canonical_json.canonical(value))


@ANY
@given(JSON)
def test_manifests_of_any_json(tmp_path, value):
    one_sentence(examine, tmp_path, {MANIFEST: json.dumps(value).encode()}, Trust({}), False,
                 [MANIFEST])


SAID = ('name', 'version', 'kind', 'latent_space', 'robot', 'axes', 'limits', 'camera', 'horizon',
        'map_cell_m', 'surprise_scale', 'golden', 'figures')
MANIFESTS = st.fixed_dictionaries(
    {'format': st.just(1), 'files': st.dictionaries(KEYS | st.text(max_size=6), JSON, max_size=4)},
    optional=dict.fromkeys(SAID, JSON))


@pytest.mark.slow
@ANY
@given(MANIFESTS)
def test_manifests_that_are_almost_right(tmp_path, value):
    one_sentence(examine, tmp_path, {MANIFEST: json.dumps(value).encode()}, Trust({}), False,
                 [MANIFEST])


@ANY
@given(JSON | st.fixed_dictionaries({
    'format': st.just(1), 'history': st.just([]), 'minimum': JSON, 'sha256': st.text(),
    'active': JSON | st.fixed_dictionaries({'modules': JSON, 'robot': JSON, 'made': JSON,
                                            'latent_space': JSON, 'proof': JSON})}))
def test_pointers_of_any_json(tmp_path, value):
    (tmp_path / active_set.FILE).write_text(json.dumps(value))
    with pytest.raises(ModuleError, match='is damaged'):
        active_set.read(tmp_path)


@ANY
@given(st.binary(max_size=200))
def test_json_of_any_bytes(data):
    try:
        assert canonical_json.parse(data) == json.loads(data)
    except ValueError as why:
        assert str(why)
