# SPDX-License-Identifier: Apache-2.0
"""Envelopes and statements that nobody who may has signed, or not in this way."""

import base64
from collections.abc import Callable
import json

from ami_ros.modules import canonical_json
from ami_ros.modules import signature_envelope as envelope
from ami_ros.modules.module import digest
from ami_ros.validation.module_attacks.attack_setup import ORDER

ATTACKS: dict[str, Callable] = {}


def attack(name: str):
    """Enter an attack into the table."""
    def enter(function):
        ATTACKS[name] = function
        return function
    return enter


@attack('no envelope')
def _(b):
    b.install({n: d for n, d in b.members().items() if n != envelope.FILE})


@attack('no envelope, in a folder')
def _(b):
    (b.module / envelope.FILE).unlink()
    b.store.install(b.module)


@attack('no envelope in the active one')
def _(b):
    (b.installed / envelope.FILE).unlink()
    b.inside = True
    b.serve()


@attack('envelope of another module')
def _(b):
    b.install({**b.members(), envelope.FILE: b.members(
        b.made('other', version='1.0.2'))[envelope.FILE]})


@attack('signed by a stranger')
def _(b):
    b.install(b.members(b.made('strange', b.stranger)))


@attack('signed by one who may sign other names')
def _(b):
    b.install(b.members(b.made('others', b.other)))


@attack('signed by one who may sign other kinds')
def _(b):
    b.install(b.members(b.made('ground', kind='ground-map')))


@attack("a stranger's signature under the builder's name")
def _(b):
    said = json.loads(b.members(b.made('strange', b.stranger))[envelope.FILE])
    said['signatures'][0]['keyid'] = b.builder.id
    b.install({**b.members(), envelope.FILE: canonical_json.canonical(said)})


@attack('the signature of nothing')
def _(b):
    said = json.loads(b.members()[envelope.FILE])
    said['signatures'][0]['sig'] = base64.b64encode(bytes(64)).decode()
    b.install({**b.members(), envelope.FILE: canonical_json.canonical(said)})


@attack('the same signature, written otherwise (S + L)')
def _(b):
    said = json.loads(b.members()[envelope.FILE])
    sig = base64.b64decode(said['signatures'][0]['sig'])
    other = int.from_bytes(sig[32:], 'little') + ORDER
    said['signatures'][0]['sig'] = base64.b64encode(
        sig[:32] + other.to_bytes(32, 'little')).decode()
    b.install({**b.members(), envelope.FILE: canonical_json.canonical(said)})


@attack('a signature of the payload without its type')
def _(b):
    said = json.loads(b.members()[envelope.FILE])
    said['signatures'][0]['sig'] = base64.b64encode(
        b.builder.sign(base64.b64decode(said['payload']))).decode()
    b.install({**b.members(), envelope.FILE: canonical_json.canonical(said)})


for WHAT, CHANGE in {
        'two signatures': lambda said: {'signatures': said['signatures'] * 2},
        'no signature': lambda said: {'signatures': []},
        'another payload type': lambda said: {'payloadType': 'application/json'},
        'a field more': lambda said: {'more': 1},
        'a key id in capitals': lambda said: {'signatures': [
            {**said['signatures'][0], 'keyid': said['signatures'][0]['keyid'].upper()}]},
        'a field more in the signature': lambda said: {'signatures': [
            {**said['signatures'][0], 'cert': ''}]},
        'no key id': lambda said: {'signatures': [{'sig': said['signatures'][0]['sig']}]},
        'a key id that is a list': lambda said: {'signatures': [
            {**said['signatures'][0], 'keyid': []}]},
        'a payload with line ends': lambda said: {'payload': said['payload'][:76] + '\n'
                                                  + said['payload'][76:]},
        'a payload that is no base64': lambda said: {'payload': '*'},
        'a payload that is no text': lambda said: {'payload': 3}}.items():
    ATTACKS[f'envelope with {WHAT}'] = lambda b, change=CHANGE: b.install(
        {**b.members(), envelope.FILE: canonical_json.canonical({
            **json.loads(b.members()[envelope.FILE]),
            **change(json.loads(b.members()[envelope.FILE]))})})

for WHAT, WRITE in {
        'with spaces': lambda data: json.dumps(json.loads(data), sort_keys=True).encode(),
        'with a line end': lambda data: data + b'\n',
        'in another order': lambda data: json.dumps(dict(reversed(json.loads(data).items())),
                                                    separators=(',', ':')).encode(),
        'with a key twice': lambda data: data[:-1] + b',"payloadType":"x"}',
        'in UTF-16': lambda data: data.decode().encode('utf-16'),
        'that is empty': lambda data: b'', 'that is a list': lambda data: b'[]',
        'nested deeply': lambda data: b'[' * 100_000 + b']' * 100_000,
        'of two megabytes': lambda data: data[:-1] + b' ' * 2**21 + b'}'}.items():
    ATTACKS[f'envelope {WHAT}'] = lambda b, how=WRITE: b.install(
        {**b.members(), envelope.FILE: how(b.members()[envelope.FILE])})

for WHAT, SAYS in {
        'of another type': lambda said: {'_type': 'https://in-toto.io/Statement/v0.1'},
        'of another predicate': lambda said: {'predicateType': 'https://slsa.dev/provenance/v1'},
        'without the manifest': lambda said: {'subject': [
            one for one in said['subject'] if one['name'] != envelope.MANIFEST]},
        'with a file twice': lambda said: {'subject': said['subject'] + said['subject'][-1:]},
        'with a path': lambda said: {'subject': said['subject'] + [
            {'name': '../evil', 'digest': {'sha256': digest(b'evil')}}]},
        'with an md5': lambda said: {'subject': [{'name': one['name'], 'digest': {'md5': 'x'}}
                                                 for one in said['subject']]},
        'with a hash in capitals': lambda said: {'subject': [
            {'name': one['name'], 'digest': {'sha256': one['digest']['sha256'].upper()}}
            for one in said['subject']]},
        'with itself': lambda said: {'subject': [
            {'name': envelope.FILE, 'digest': {'sha256': '0' * 64}}, *said['subject']]},
        'without files': lambda said: {'subject': []},
        'of another name': lambda said: {'predicate': {**said['predicate'], 'name': 'big'}},
        'of another version': lambda said: {'predicate': {**said['predicate'],
                                                          'version': '9.9.9'}},
        'of another latent space': lambda said: {'predicate': {**said['predicate'],
                                                               'latent_space': 'xyz'}},
        'with a counter below 0': lambda said: {'predicate': {**said['predicate'],
                                                              'counter': -1}},
        'with a counter that is no whole number': lambda said: {
            'predicate': {**said['predicate'], 'counter': 1e9}},
        'with a counter that is true': lambda said: {'predicate': {**said['predicate'],
                                                                   'counter': True}},
        'that says more': lambda said: {'predicate': {**said['predicate'], 'more': 1}}}.items():
    ATTACKS[f'statement {WHAT}'] = lambda b, change=SAYS: b.install(
        b.enveloped(canonical_json.canonical({**b.statement(), **change(b.statement())})))
