# SPDX-License-Identifier: Apache-2.0
"""What a stranger asks first: one small function per check, from what was seen to findings."""
