# SPDX-License-Identifier: Apache-2.0
"""Envelopes, keys, trust: what is signed is what is verified, by another library's words too."""

import base64
import json

from ami_ros.modules import signature_envelope as envelope
from ami_ros.modules import signing_keys
from ami_ros.modules import trusted_keys as trust
from ami_ros.modules.errors import ModuleError
from ami_ros.modules.module import open_folder, open_module, shipped
from ami_ros.modules.signing import counter_of, figures, sign
from ami_ros.modules.trusted_keys import packaged
import pytest

STATEMENT = envelope.Statement('kitchen', '1.2.3', 7, 'rover-jepa', 'abc',
                               {'manifest.json': 'a' * 64, 'see.onnx': 'b' * 64})


def test_the_encoding_is_that_of_dsse():
    """The example of the specification: secure-systems-lab/dsse, protocol.md."""
    assert envelope.pae('http://example.com/HelloWorld', b'hello world') == \
        b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'


def test_the_statement_is_that_of_in_toto():
    said = json.loads(STATEMENT.payload())
    assert said['_type'] == 'https://in-toto.io/Statement/v1'
    assert said['subject'][0] == {'name': 'manifest.json', 'digest': {'sha256': 'a' * 64}}
    assert said['predicate'] == {'name': 'kitchen', 'version': '1.2.3', 'counter': 7,
                                 'kind': 'rover-jepa', 'latent_space': 'abc'}
    assert envelope.statement_of(STATEMENT.payload()) == STATEMENT


def test_a_key_is_named_by_its_public_half():
    """RFC 8032, test 1; the id is sha256 of the 32 bytes."""
    import hashlib
    public = bytes.fromhex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')
    assert signing_keys.key_id(public) == hashlib.sha256(public).hexdigest()
    signature = bytes.fromhex(
        'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c'
        'f9b46bd25bf5f0595bbe24655141438e7a100b')
    assert signing_keys.good(public, signature, b'') and not signing_keys.good(public, signature,
                                                                               b' ')


def test_a_key_survives_its_file(tmp_path):
    key, path = signing_keys.Signer.new(), tmp_path / 'keys' / 'anna.pem'
    key.write(path)
    assert path.stat().st_mode & 0o777 == 0o600
    again = signing_keys.Signer.read(path)
    assert again.id == key.id and signing_keys.good(key.public, again.sign(b'x'), b'x')
    with pytest.raises(ModuleError, match='a key is never written over'):
        signing_keys.Signer.new().write(path)
    public = tmp_path / 'anna.pub'
    public.write_bytes(signing_keys.pem(key.public))
    assert signing_keys.read_public(public) == key.public
    for wrong in (path, tmp_path / 'nowhere', tmp_path):
        with pytest.raises(ModuleError, match='is no public Ed25519 key|cannot be read'):
            signing_keys.read_public(wrong)
    with pytest.raises(ModuleError, match='is no private key'):
        signing_keys.Signer.read(public)


def test_another_kind_of_key_is_none(tmp_path):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    other, path = ec.generate_private_key(ec.SECP256R1()), tmp_path / 'other.pem'
    path.write_bytes(other.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    with pytest.raises(ModuleError, match='another kind of key than Ed25519'):
        signing_keys.Signer.read(path)


def test_who_is_admitted_may_sign_what_was_said(tmp_path):
    folder, anna, bert = tmp_path / 'trust', signing_keys.Signer.new(), signing_keys.Signer.new()
    assert trust.read(folder).signers == {}
    trust.admit(folder, 'anna', anna.public, ['kitchen*'], ['rover-jepa'])
    trust.admit(folder, 'bert', bert.public, ['*'], ['*'])
    trust.admit(folder, 'anna', anna.public, ['cellar'], ['*'])     # anew, in its place
    known = trust.read(folder)
    assert known.signers[anna.id] == trust.Who('anna', anna.public, ('cellar',), ('*',))
    with pytest.raises(ModuleError, match='anna.pub is another key; choose another name'):
        trust.admit(folder, 'anna', bert.public, ['*'], ['*'])
    sealed = envelope.read(envelope.seal(STATEMENT, anna.id, anna.sign))
    with pytest.raises(ModuleError, match="anna may not sign a module of name 'kitchen', only ce"):
        known.vouch(sealed, 'it')
    (folder / 'policy.json').unlink()
    with pytest.raises(ModuleError, match='which nobody here trusts; trusted: none'):
        trust.read(folder).vouch(sealed, 'it')


@pytest.mark.parametrize('text', [
    '', '[]', '{}', '{"format": 2, "signers": []}',
    '{"format": 1, "signers": [], "requierd": true}',
    '{"format": 1, "signers": [], "required": 1}', '{"format": 1, "signers": [{"key": "a"}]}',
    '{"format": 1, "signers": [], "minimum": {"a": "b"}}', '{"format": 1, "format": 1}',
    '{"format": 1, "signers": [{"key": "a", "names": [3], "kinds": []}]}'])
def test_a_policy_that_is_none_trusts_nobody(tmp_path, text):
    (tmp_path / 'policy.json').write_text(text)
    with pytest.raises(ModuleError, match='is no trust policy: .*see docs/modules.md'):
        trust.read(tmp_path)


def test_the_owners_policy_holds_for_all(tmp_path, monkeypatch):
    folder = tmp_path / 'own'
    folder.mkdir()
    (folder / 'policy.json').write_text('{"format": 1, "required": true, "signers": []}')
    monkeypatch.setenv('AMI_ROS_TRUST', str(folder))
    assert trust.trust().required and set(packaged().signers) <= set(trust.trust().signers)
    copy = tmp_path / 'copy'
    copy.mkdir()
    for path in shipped().iterdir():
        if path.name != envelope.FILE:
            (copy / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ModuleError, match='is not signed, which is required here'):
        open_module(copy)
    assert open_module(shipped()).signer


def test_signing_is_refused_where_the_folder_holds_more(robot):
    (robot.module / 'notes.txt').write_text('?')
    with pytest.raises(ModuleError, match='holds notes.txt, which its manifest does not list'):
        sign(robot.module, robot.builder)


def test_signing_again_takes_the_place_of_what_was(robot):
    other = sign(robot.module, robot.other, counter=5)
    assert other.counter == 5
    with pytest.raises(ModuleError, match="other may not sign a module of name 'small'"):
        open_folder(robot.module, robot.trust, True)


def test_a_later_version_has_the_higher_counter():
    versions = ['0.0.1', '0.0.10', '0.1.0', '0.9.9999', '1.0.0', '1.10.0', '2.0.0']
    counters = [counter_of(version) for version in versions]
    assert counters == sorted(set(counters))


def test_the_key_of_the_shipped_module_may_sign_nothing_else():
    who, = packaged().signers.values()
    assert who.names == ('rover-room-7',) and who.kinds == ('rover-jepa',)
    assert not packaged().required and open_module(shipped(), True).signer.startswith(who.label)


def test_no_private_key_is_in_the_package(root):
    for folder in ('config', 'ami_ros', 'test', 'docs', 'tools', 'resource'):
        for path in (root / folder).rglob('*'):
            assert not (path.is_file() and b'PRIVATE ' + b'KEY' in path.read_bytes()), path


def test_without_the_library_it_is_said_how_to_install_it(monkeypatch):
    import sys
    for name in [name for name in sys.modules if name.startswith('cryptography')]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'cryptography.hazmat.primitives', None)
    with pytest.raises(ModuleError, match='pip install cryptography'):
        signing_keys.Signer.new()


def test_an_envelope_is_what_another_reader_of_dsse_takes(robot):
    """By hand, as the specification says: decode, encode again, verify."""
    said = json.loads((robot.module / envelope.FILE).read_bytes())
    payload = base64.b64decode(said['payload'])
    kind = said['payloadType'].encode()
    signed = b' '.join([b'DSSEv1', str(len(kind)).encode(), kind, str(len(payload)).encode(),
                        payload])
    assert kind == b'application/vnd.in-toto+json'
    assert signing_keys.good(robot.builder.public, base64.b64decode(said['signatures'][0]['sig']),
                             signed)


def test_a_library_of_others_takes_the_envelope(robot):
    """As in-toto's and TUF's tools do; run with securesystemslib 1.6."""
    dsse = pytest.importorskip('securesystemslib.dsse', reason='needs securesystemslib')
    from securesystemslib.signer import SSlibKey
    said = dsse.Envelope.from_dict(json.loads((robot.module / envelope.FILE).read_bytes()))
    keyid = robot.builder.id
    known = {one.id: SSlibKey(one.id, 'ed25519', 'ed25519', {'public': one.public.hex()})
             for one in (robot.builder, robot.stranger)}
    assert said.pae() == envelope.read((robot.module / envelope.FILE).read_bytes()).signed()
    assert set(said.verify([known[keyid]], 1)) == {keyid}
    with pytest.raises(Exception, match='(?i)signature'):
        said.verify([known[robot.stranger.id]], 1)


@pytest.mark.parametrize('rows', [False, True])
def test_figures_of_a_report_have_their_protocol(tmp_path, rows):
    asked = {'goal_steps': 20, 'furniture_moved': False, 'module': 'm', 'module_version': '1.0.0',
             'world_seed': 7, 'seed': 1000}
    rates = {'success_rate': 0.5, 'collision_rate': 0.0, 'episodes': [{}, {}]}
    said = {'protocol': asked, **rates} if not rows else {'protocol': asked, 'conditions': [
        {'name': 'side_light', 'false_arrival_rate': 0.5, **rates}, {'name': 'warm', **rates}]}
    report = tmp_path / 'report.json'
    report.write_text(json.dumps(said))
    found = figures(report)
    assert [one['what'] for one in found] == (
        [f'success, 20 actions of 0.25 s, {name}' for name in ('side light', 'warm')]
        if rows else ['success, 20 actions of 0.25 s'])
    assert found[0]['value'] == ('50.0 % of 2; 50.0 % false arrivals; 0.0 % with a collision'
                                 if rows else '50.0 % of 2; 0.0 % with a collision')
    verb = 'robustness' if rows else 'evaluate'
    assert found[0]['protocol'] == (f'm 1.0.0, room 7, seed 1000: ami-ros {verb} '
                                    '--goal-steps 20 --episodes 2')


def test_a_file_that_is_no_report_makes_no_figures(tmp_path):
    for text in ('{}', '[]', 'x', '{"protocol": {}, "conditions": [1]}'):
        (tmp_path / 'report.json').write_text(text)
        with pytest.raises(ModuleError, match='is no report of ami-ros evaluate or robustness'):
            figures(tmp_path / 'report.json')
