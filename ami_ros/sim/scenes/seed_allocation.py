# SPDX-License-Identifier: Apache-2.0
"""Which world seeds are for what, so that no published figure comes from a world of training."""

TRAINING = range(20_000, 60_000)
TUNING = range(60_000, 66_000)
PUBLISHED = range(100_000, 101_000)
RESERVED = range(66_000, 100_000)       # never used by this project: for others' tests
MOST_SEED = 2**31 - 1

RANGES = {'training': TRAINING, 'tuning': TUNING, 'published': PUBLISHED}


def use_of(seed: int) -> str | None:
    """Return the use of a world seed; None where it has none."""
    return next((name for name, seeds in RANGES.items() if seed in seeds), None)
