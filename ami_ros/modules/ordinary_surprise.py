# SPDX-License-Identifier: Apache-2.0
"""Says what surprise is ordinary for a module, as its manifest has it."""

NOT_RECORDED = 'not recorded in this module'


def ordinary(manifest: dict) -> str:
    """Say it in a few words; modules from before it was measured have it not."""
    said = manifest.get('surprise')
    if not said:
        return NOT_RECORDED
    return (f'half below {said["p50"]:.2f}, 95 % below {said["p95"]:.2f}, '
            f'99 % below {said["p99"]:.2f}')
