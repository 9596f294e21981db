# SPDX-License-Identifier: Apache-2.0
"""The belief: latents, odometry and executed commands, filtered."""
