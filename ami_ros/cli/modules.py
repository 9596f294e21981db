# SPDX-License-Identifier: Apache-2.0
"""Manage learned modules: list, show, verify, sign, pack, install, activate, roll back, remove."""

import argparse
from pathlib import Path

from ami_ros.core.errors import AmiError

UNSIGNED = 'Accept unsigned modules; use for development, not on a robot near people'


def add(one: argparse.ArgumentParser) -> None:
    """Declare the sub-commands and their options."""
    what = one.add_subparsers(dest='what', required=True, metavar='WHAT')
    parts = {name: what.add_parser(name, help=about, description=about)
             for name, (_, about) in WHATS.items()}
    for name in ('list', 'install', 'activate', 'rollback', 'remove', 'show', 'verify', 'card'):
        parts[name].add_argument(
            '--module-store-dir', default='', metavar='FOLDER',
            help='Folder of installed modules; default: ~/.ros/ami_ros/modules')
    for name in ('show', 'verify', 'card'):
        parts[name].add_argument(
            'module', nargs='?', default='', metavar='MODULE',
            help='Folder, archive, or name or hash of an installed module; default: the active '
                 'module')
    for name in ('sign', 'pack'):
        parts[name].add_argument('module', nargs=1, metavar='MODULE',
                                 help=f'Module folder to {name}')
    for name in set(parts) - {'keygen', 'trust', 'sign'}:
        parts[name].add_argument(
            '--trust', type=Path, metavar='FOLDER',
            help='Folder of keys and policy used instead of ~/.config/ami_ros/trust')
    for name in ('install', 'activate', 'rollback'):
        parts[name].add_argument('--unsigned', action='store_true', help=UNSIGNED)
    for name in ('activate', 'rollback'):
        parts[name].add_argument('--robot', default='rover', help='Name or path of a robot file')
        parts[name].add_argument(
            '--backend', default='onnx',
            help='Backend that will run the module')
        parts[name].add_argument(
            '--precision', default='float32',
            help='Numeric precision in which the module will run')
    parts['install'].add_argument(
        'path', type=Path, metavar='ARCHIVE',
        help='Archive or folder to install')
    parts['activate'].add_argument(
        'modules', nargs='+', metavar='MODULE',
        help='Name or hash of each module to activate')
    parts['remove'].add_argument(
        'module', metavar='MODULE',
        help='Name or hash of the module to remove')
    parts['pack'].add_argument(
        '--out', type=Path,
        help='Output archive; default: NAME-VERSION.module.tar')
    parts['sign'].add_argument(
        '--key', required=True,
        help='Name of a key made by keygen, or path of a key file')
    parts['sign'].add_argument(
        '--figures', type=Path, nargs='+', default=[], metavar='REPORT',
        help='Reports of ami-ros evaluate to include in the manifest and its card')
    parts['sign'].add_argument(
        '--counter', type=int,
        help='Counter of the signature; default: derived from the version')
    for name in ('keygen', 'trust'):
        parts[name].add_argument(
            'key', metavar='NAME' if name == 'keygen' else 'KEY.pub',
            help='Name of the new key' if name == 'keygen' else 'Public key file to trust')
        parts[name].add_argument(
            '--names', nargs='+', default=['*'],
            help='Names of modules that the key may sign; default: all')
        parts[name].add_argument(
            '--kinds', nargs='+', default=['*'],
            help='Kinds of modules that the key may sign; default: all')
        parts[name].add_argument(
            '--trust', type=Path, metavar='FOLDER',
            help='Folder of trusted keys; default: ~/.config/ami_ros/trust')
    parts['keygen'].add_argument(
        '--keys', type=Path, default=KEYS, metavar='FOLDER',
        help=f'Folder of private keys; default: {KEYS}')
    parts['sign'].add_argument(
        '--keys', type=Path, default=KEYS, metavar='FOLDER',
        help=f'Folder of private keys; default: {KEYS}')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status."""
    for line in WHATS[args.what][0](args):
        print(line)
    return 0


def store(args: argparse.Namespace):
    """Open the store that is meant."""
    from ami_ros.modules import active_set
    from ami_ros.modules.module_store import Store
    from ami_ros.modules.trusted_keys import trust
    return Store(active_set.folder(args.module_store_dir), trust(args.trust),
                 not getattr(args, 'unsigned', True))


def opened(args: argparse.Namespace, required: bool = False):
    """Open the module that is meant: a path, an installed one, the package's, the active one."""
    from ami_ros.modules import active_set, archive, module
    from ami_ros.modules.trusted_keys import packaged, trust
    said = args.module[0] if isinstance(args.module, list) else args.module
    known = trust(args.trust)
    if Path(said).is_file():
        return archive.open_archive(Path(said), known, required)
    if said and not Path(said).exists() and getattr(args, 'module_store_dir', None) is not None:
        held, own = store(args), module.shipped()
        if said == own.name and not any(n.startswith(said) for n in held.names()):
            return module.open_folder(own, packaged(), True)
        return module.open_folder(active_set.folder(args.module_store_dir) / held.find(said),
                                  known, required)
    return module.open_module(said, required, getattr(args, 'module_store_dir', None), known)


def listed(args: argparse.Namespace) -> list[str]:
    """Say what is installed, what is active, and what a rollback would bring."""
    from ami_ros.modules.module import open_module
    held = store(args)
    found = held.found()
    lines = [f'{"*" if one.active else one.history or " "} '
             f'{one.module.said if one.module else one.folder + ": " + one.wrong}'
             for one in found]
    if not any(one.active for one in found):
        lines.append(f'* {open_module("", store=held.folder).said}, comes with the package')
    now = held.pointer()
    back = [one.said for one in now.history] + ['the module that comes with the package']
    return [f'in {held.folder}; * is active, a number says after how many rollbacks', *lines,
            f'a rollback brings {back[0]}' if now.active else 'there is nothing to roll back to']


def show(args: argparse.Namespace) -> list[str]:
    """Say its facts."""
    module = opened(args)
    said = module.manifest
    return [module.said, f'in {module.path}', f'counter      {module.counter}',
            f'hash         {module.id}',
            *(f'{key:12} {said[key]}' for key in ('kind', 'latent_space', 'robot', 'axes',
                                                  'limits', 'camera', 'golden') if key in said),
            *(f'{digest[:12]} {len(module.files[name]):9d}  {name}'
              for name, digest in sorted(said['files'].items()))]


def verify(args: argparse.Namespace) -> list[str]:
    """Check its signature and every byte."""
    module = opened(args, required=True)
    return [f'good: {module.said}', f'{len(module.files) + 1} files, every byte as signed']


def keygen(args: argparse.Namespace) -> list[str]:
    """Make a key pair; trust it here."""
    from ami_ros.modules import signature_envelope as envelope
    from ami_ros.modules import signing_keys
    if not envelope.NAME.fullmatch(args.key):
        raise AmiError(f'{args.key!r} is no name for a key; take letters, digits, dots, dashes')
    key, path = signing_keys.Signer.new(), args.keys.expanduser() / f'{args.key}.pem'
    key.write(path)
    public = path.with_suffix('.pub')
    public.write_bytes(signing_keys.pem(key.public))
    return [f'key {key.id}', f'private: {path}, for you alone; who has it can sign in your name',
            f'public:  {public}; on each robot: ami-ros modules trust {public.name}',
            *admit(args, args.key, key.public)]


def trusted(args: argparse.Namespace) -> list[str]:
    """Let a key sign, here."""
    from ami_ros.modules import signing_keys
    return admit(args, Path(args.key).stem, signing_keys.read_public(Path(args.key)))


def admit(args: argparse.Namespace, label: str, public: bytes) -> list[str]:
    """Write it into the trust policy."""
    from ami_ros.modules import trusted_keys as trust
    folder = args.trust or trust.owners()
    trust.admit(folder, label, public, args.names, args.kinds)
    return [f'trusted here for names {" ".join(args.names)}, kinds {" ".join(args.kinds)}: '
            f'{folder / trust.POLICY}']


def sign(args: argparse.Namespace) -> list[str]:
    """Sign a module folder."""
    from ami_ros.modules import signing, signing_keys
    path = Path(args.key) if Path(args.key).is_file() \
        else args.keys.expanduser() / f'{args.key}.pem'
    module = signing.sign(Path(args.module[0]), signing_keys.Signer.read(path), args.counter,
                          [one for report in args.figures for one in signing.figures(report)])
    return [f'{module.path}: {module.said}, counter {module.counter}']


def pack(args: argparse.Namespace) -> list[str]:
    """Put a module into one file."""
    from ami_ros.modules import archive
    module = opened(args)
    out = args.out or Path(f'{module.manifest["name"]}-{module.manifest["version"]}'
                           f'{archive.SUFFIX}')
    data = archive.pack(archive.contents(module))
    partial = out.with_name(out.name + '.partial')
    partial.write_bytes(data)
    partial.replace(out)
    return [f'{out}: {len(data) / 1e6:.1f} MB, {module.said}']


def install(args: argparse.Namespace) -> list[str]:
    """Take it in."""
    module = store(args).install(args.path)
    return [f'installed {module.said}', f'next: ami-ros modules activate {module.path.name}']


def activate(args: argparse.Namespace) -> list[str]:
    """Make a set the active one."""
    from ami_ros.inference.golden_check import Prover
    from ami_ros.robots.find_robot import find
    made = store(args).activate(args.modules, find(args.robot),
                                Prover(args.backend, args.precision))
    return [f'active: {made.said}', f'golden inputs: {made.proof}', MEANWHILE]


def rollback(args: argparse.Namespace) -> list[str]:
    """Go back to the set before."""
    from ami_ros.inference.golden_check import Prover
    from ami_ros.robots.find_robot import find
    made = store(args).rollback(find(args.robot), Prover(args.backend, args.precision))
    return [f'active: {made.said if made else "the module that comes with the package"}',
            MEANWHILE]


def remove(args: argparse.Namespace) -> list[str]:
    """Remove it."""
    return [f'removed {args.module}', *store(args).remove(args.module)]


def card(args: argparse.Namespace) -> list[str]:
    """Write its page."""
    from ami_ros.modules.module_card import card as page
    return [page(opened(args)).rstrip()]


KEYS = Path('~/.config/ami_ros/keys')
MEANWHILE = 'a running planner loads it between two images; ami-ros doctor shows the set in use'
WHATS = {
    'list': (listed, 'List installed modules, the active set and the rollback set'),
    'show': (show, 'Show the manifest of a module with the hash of every file'),
    'verify': (verify, 'Verify the signature and every byte of a module'),
    'card': (card, 'Print the model card: data, figures, gates, limits, lineage, licence'),
    'keygen': (keygen, 'Create a signing key and trust it on this machine'),
    'trust': (trusted, 'Trust a public key to sign modules for this machine'),
    'sign': (sign, 'Sign a module folder'),
    'pack': (pack, 'Pack a module into one reproducible archive'),
    'install': (install, 'Install a module from an archive or a folder after verification'),
    'activate': (activate, 'Activate a set of modules if they fit the robot and each other'),
    'rollback': (rollback, 'Restore the set that was active before'),
    'remove': (remove, 'Remove a module that is not active'),
}
