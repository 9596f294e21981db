# SPDX-License-Identifier: Apache-2.0
"""
Adds golden inputs and a version to the shipped module, and signs it with a one-time key.

Usage: python tools/sign_shipped_module.py VERSION

The private half lives in this process alone and is never written; its public half takes the place
of the last one in config/trust, with the right to sign this one name. So nobody can sign another.
"""

import argparse
import json
from pathlib import Path

from ami_ros.core.share_directory import share
from ami_ros.inference import backend
from ami_ros.modules import canonical_json, golden_inputs, module_kinds, signing_keys
from ami_ros.modules import signature_envelope as envelope
from ami_ros.modules.module import digest, shipped
from ami_ros.modules.signing import figures, sign
from ami_ros.modules.trusted_keys import FORMAT, packaged, POLICY
from ami_ros.perception.images import codec
import numpy as np

LABEL = 'ami_ros-shipped'
REPORT = Path(__file__).resolve().parents[1] / 'docs' / 'reports' / 'robustness.json'
LIMITS = ['it knows room 7 of the simulator alone, as it is drawn there: no other room, no '
          'real one',
          'for the rover, with this camera in this place, at up to 0.6 m/s and 1.5 rad/s',
          'nothing in the room moved while it learned; light, camera and new objects were '
          'simulated on its images']


def pictures(folder: Path) -> np.ndarray:
    """Decode some of the recorded pictures that the module remembers."""
    data = np.load(folder / 'picture_bytes.npy', allow_pickle=False).tobytes()
    ends = np.load(folder / 'picture_ends.npy', allow_pickle=False).tolist()
    begins = [0, *ends[:-1]]
    chosen = np.linspace(0, len(ends) - 1, golden_inputs.PICTURES).round().astype(int)
    return np.stack([codec.from_compressed(data[begins[i]:ends[i]]) for i in chosen])


def main(version: str) -> None:
    """Do it."""
    folder, load = shipped(), backend('onnx')
    manifest = json.loads((folder / envelope.MANIFEST).read_text())
    files = {name: (folder / name).read_bytes() for name in manifest['files']
             if name != golden_inputs.FILE}
    networks = {name.removesuffix('.onnx'): load(data) for name, data in files.items()
                if name.endswith('.onnx')}
    files[golden_inputs.FILE], manifest['golden'] = golden_inputs.make(
        networks, pictures(folder), tuple(manifest['limits']), manifest['horizon'])
    manifest['figures'] = figures(REPORT)
    manifest['limits_of_use'] = LIMITS
    (folder / golden_inputs.FILE).write_bytes(files[golden_inputs.FILE])
    manifest |= {'version': version, 'files': {n: digest(d) for n, d in sorted(files.items())}}
    text = json.dumps(manifest, indent=1, sort_keys=True) + '\n'
    (folder / envelope.MANIFEST).write_text(text)
    key = signing_keys.Signer.new()
    sign(folder, key)
    trust = share('config/trust')
    (trust / f'{LABEL}.pub').write_bytes(signing_keys.pem(key.public))
    (trust / POLICY).write_bytes(canonical_json.canonical({
        'format': FORMAT, 'required': False, 'minimum': {}, 'signers': [
            {'key': key.id, 'names': [manifest['name']], 'kinds': [module_kinds.MIND]}]}) + b'\n')
    print(f'{folder}: {manifest["name"]} {version}, signed by {packaged().listed()}')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[1])
    parser.add_argument('version', help='New version of the module')
    main(parser.parse_args().version)
