# SPDX-License-Identifier: Apache-2.0
"""The body and the room in PyBullet, and Loopback, a body that obeys perfectly."""
