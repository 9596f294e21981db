# SPDX-License-Identifier: Apache-2.0
"""Robot files: what is read from them, how they are found and edited."""
