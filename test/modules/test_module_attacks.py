# SPDX-License-Identifier: Apache-2.0
"""Every structural attack is refused for its reason, a flipped byte too; whole modules are not."""

from ami_ros.modules import archive
from ami_ros.modules.errors import ModuleError
from ami_ros.modules.module import open_folder, open_module
import pytest

REASONS = {     # a word of the reason for which an attack has to be refused; others: see below
    'member named': 'leaves its folder', 'member that is': 'a module is plain files alone',
    'member twice': 'twice', 'envelope twice': 'twice', 'unknown member': 'was not signed with',
    'missing member': 'lacks step.onnx', 'members in another order': 'in another order',
    'more members': 'more than 64', 'bytes behind the end': 'does not end where',
    'another archive behind': 'does not end where', 'bytes hidden': 'hides bytes',
    'no end': 'does not end', 'torn in a header': 'in the middle of a member',
    'torn in a member': 'in the middle of envelope.json', 'gzip bomb': 'is gzip',
    'the archive, in xz': 'is xz', 'the archive, in zip': 'is zip',
    'sparse archive': 'at most', 'archive that is a pipe': 'no plain file',
    'archive that is a link': 'is a link', 'archive that is not there': 'No such file',
    'header with': 'header of evil|no size|would have|no plain name', 'no envelope': 'not signed',
    'tar of another': 'is not as|plain files alone', 'empty file': 'in the middle',
    'envelope of another module': 'not the file that was signed',
    'signed by a stranger': 'nobody here trusts', 'signed by one': 'may not sign a module of',
    "a stranger's signature": 'was changed after', 'the signature of nothing': 'was changed after',
    'the same signature': 'was changed after', 'a signature of the payload': 'was changed after',
    'envelope with another payload': 'not application/vnd.in-toto',
    'envelope with a key id in capitals': 'nobody here trusts',
    'envelope': 'no envelope with one signature|byte for byte', 'statement of another name': 'may',
    'statement of another version': 'says version', 'statement of another latent': 'says latent',
    'statement': 'not one', 'manifest with infinity': "not of type 'number'",
    'manifest without its name': "'name' is a required property",
    'manifest whose name': 'does not match',
    'manifest that lists fewer': 'says files', 'manifest that lists a path': 'leaves its folder',
    'manifest of another format': 'has format 2', 'manifest of another name': 'says name big',
    'manifest': 'is damaged', 'pickle': 'allow_pickle=False', 'bomb': 'unpacks to more',
    'downgrade': 'was active here', 'below the minimum': 'asks for', 'a file more': 'holds evil',
    'a file less': 'lacks step', 'a link in': 'is a link', 'a pipe in': 'no plain file',
    'a folder in': 'Is a directory|no plain file', 'a file of a terabyte': 'at most',
    'another signed module': 'the set was made of', 'a pointer that is a link': 'is a link',
    'a pointer out': 'is no folder of the store', 'a pointer': 'is damaged',
    'an empty pointer': 'is damaged'}


def test_every_attack_is_refused_for_its_reason(tool, tmp_path):
    import re
    report = tool('module_attacks.tampering').structural(tmp_path)
    assert report['taken'] == [] and report['attacks'] > 130
    for name, why in report['reasons'].items():
        wanted = next(REASONS[part] for part in REASONS if name.startswith(part))
        assert re.search(wanted, why), (name, wanted, why)
        assert '\n' not in why


def test_a_flipped_byte_anywhere_is_refused(tool, tmp_path):
    report = tool('module_attacks.tampering').flips(tmp_path, 120, 500, lambda line: None)
    assert report['flips'] == report['refused'] == 120 and not report['left_behind']
    assert len(report['by_file']) >= 3


def test_the_harness_notices_what_is_taken(robot, tool):
    """What is whole is no attack: an attack that is none would be told."""
    assert tool('module_attacks.tampering').refused(lambda: robot.install(robot.members())) == ''
    assert tool('module_attacks.tampering').refused(robot.serve) == ''


def test_what_is_packed_is_what_was_signed(robot, tmp_path):
    module = open_folder(robot.module, robot.trust, True)
    packed = archive.pack(archive.contents(module))
    assert packed == archive.pack(archive.contents(open_folder(robot.module, robot.trust)))
    path = tmp_path / 'a.tar'
    path.write_bytes(packed)
    again = archive.open_archive(path, robot.trust, True)
    assert (again.id, again.files, again.signer) == (module.id, module.files, module.signer)
    assert module.signer.startswith('builder (') and module.counter == 1_0000_0001


def test_another_program_reads_the_archive(robot, tmp_path):
    import tarfile
    path = tmp_path / 'a.tar'
    path.write_bytes(archive.pack(robot.members()))
    with tarfile.open(path) as file:
        assert {m.name: file.extractfile(m).read() for m in file} == robot.members()


def test_each_file_is_opened_once(robot, monkeypatch):
    """What was verified is what is loaded: there is no second read for somebody to get between."""
    import os
    opened, real = [], os.open
    monkeypatch.setattr('os.open', lambda path, *more: (opened.append(str(path)),
                                                        real(path, *more))[1])
    module = open_module(None, True, robot.store.folder, robot.trust)
    inside = [path for path in opened if path.startswith(str(module.path))]
    assert len(inside) == len(set(inside)) == len(robot.members())
    for path in module.path.iterdir():
        path.write_bytes(b'evil')
    assert module.array('map_cost').sum() == 6 and module.files['see.onnx'] == b'sees'


def test_nothing_but_the_envelope_is_parsed_before_all_is_verified(robot, monkeypatch):
    """The last file is wrong: neither manifest nor any array was looked at until then."""
    from ami_ros.modules import canonical_json
    parsed, real = [], canonical_json.parse
    monkeypatch.setattr(canonical_json, 'parse', lambda data, what='it': (parsed.append(what),
                                                                  real(data, what))[1])
    last = sorted(robot.installed.iterdir())[-1]
    last.write_bytes(last.read_bytes() + b' ')
    with pytest.raises(ModuleError, match='is not the file that was signed'):
        open_folder(robot.installed, robot.trust, True)
    assert parsed == [str(robot.installed / 'envelope.json'),
                      f'the statement in {robot.installed / "envelope.json"}']
