# SPDX-License-Identifier: Apache-2.0
"""The card of a module: one page of markdown that a person can read."""

import json

from ami_ros.modules.module import Module
from ami_ros.modules.module_kinds import KINDS
from ami_ros.modules.ordinary_surprise import ordinary

NOT_SAID = 'the manifest does not say'


def card(module: Module) -> str:
    """Write it; what the manifest does not say is said to be missing."""
    said = module.manifest
    camera = module.camera
    parts = {
        '': [f'{KINDS[module.kind].about[0].upper()}{KINDS[module.kind].about[1:]}.'],
        'What it is': table(
            ('version', f'{said["version"]}, counter {module.counter}'), ('kind', module.kind),
            ('hash of the manifest', f'`{module.id}`'),
            ('signed by', module.signer or 'nobody'),
            ('latent space', said['latent_space']),
            ('robot', f'{said["robot"]}, ' + ', '.join(
                f'{axis} up to {limit}' for axis, limit in zip(said['axes'], said['limits']))),
            ('camera', f'{camera.size[0]} x {camera.size[1]} pixels'
             + (f', {camera.hfov_rad:.2f} rad across' if camera.hfov_rad else '')),
            ('size', f'{sum(map(len, module.files.values())) / 1e6:.1f} MB in '
                     f'{len(module.files)} files'),
            ('made', said.get('made', NOT_SAID)), ('licence', said.get('licence', NOT_SAID))),
        'What it learned from': learned(said),
        'Figures': figures(said),
        'Gates': ['On held-out windows of its own recording; a module that fails one is not '
                  'written.', '', *table(*((name, f'{value:.3g}') for name, value in
                                           sorted(said['gates'].items()) if value is not None))]
        if 'gates' in said else [NOT_SAID + ' any.'],
        'Ordinary surprise': surprise(said),
        'Golden inputs': golden(said),
        'Limits': [f'- {line}' for line in said.get('limits_of_use', ())]
        or [f'- {NOT_SAID} any beyond these: it is for robot {said["robot"]} with this camera, '
            'where its recording was made.'],
    }
    lines = [f'# {said["name"]}', '']
    for title, body in parts.items():
        lines += ([f'## {title}', ''] if title else []) + body + ['']
    return '\n'.join(lines).rstrip() + '\n'


def table(*rows: tuple[str, str]) -> list[str]:
    """Write rows of two."""
    wide = max(len(name) for name, _ in rows)
    return [f'| {"":{wide}} | |', f'|{"-" * (wide + 2)}|---|',
            *(f'| {name:{wide}} | {value} |' for name, value in rows)]


def learned(said: dict) -> list[str]:
    """Say what it was trained on, how, and by what."""
    lineage, recipe, training = (said.get(key, {}) for key in ('lineage', 'recipe', 'training'))
    if not lineage:
        return [NOT_SAID + '.']
    rows = [('recording', f'{lineage.get("frames", "?")} frames, sha256 '
                          f'`{str(lineage.get("bag_sha256", ""))[:16]}`'),
            ('collected', collected(lineage.get('collected', NOT_SAID))),
            ('topics', ', '.join(f'{k} {v}' for k, v in lineage.get('topics', {}).items())),
            ('recipe', f'seed {recipe.get("seed", "?")}, {recipe.get("steps", "?")} steps, '
                       f'{recipe.get("held_out", 0):.0%} held out'),
            ('trained', ', '.join(f'{key} {value}' for key, value in training.items()))]
    if 'parents' in lineage:
        rows.append(('made from', ', '.join(map(str, lineage['parents']))))
    return table(*rows)


def collected(text: str) -> str:
    """Say how a recording was made; the note of `ami-ros collect` is JSON."""
    try:
        said = json.loads(text)
        return (f'simulated, room {said["world_seed"]}, seed {said["seed"]}, {said["drives"]} '
                f'drives of {said["drive_s"]:.0f} s')
    except (ValueError, KeyError, TypeError):
        return text


def figures(said: dict) -> list[str]:
    """Say what was measured with it, each with its protocol."""
    if not said.get('figures'):
        return [NOT_SAID + ' any; ami-ros evaluate and ami-ros bench measure it.']
    return ['| | | protocol |', '|---|---|---|',
            *(f'| {one["what"]} | {one["value"]} | {one["protocol"]} |'
              for one in said['figures'])]


def surprise(said: dict) -> list[str]:
    """Say how much surprise is ordinary where it learned."""
    own = said.get('surprise')
    if not own:
        return [f'{ordinary(said)[0].upper()}{ordinary(said)[1:]}.']
    return [f'On held-out drives of its own recording, {own.get("frames", 0):.0f} images, '
            f'{own.get("period_s", 0):.2f} s apart: {ordinary(said)}. A robot that stays above '
            'this is elsewhere, or light, lens or camera changed.']


def golden(said: dict) -> list[str]:
    """Say what is compared where it is activated."""
    if 'golden' not in said:
        return ['It carries none, so it cannot be activated.']
    within = ', '.join(f'{name} {value:g}' for name, value in said['golden']['tolerance'].items())
    return [f'Compared wherever it is opened, within {within}: {said["golden"]["reason"]}.']
