# SPDX-License-Identifier: Apache-2.0
"""A learned module on disk: manifest, contract, hashes."""
