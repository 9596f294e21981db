# SPDX-License-Identifier: Apache-2.0
"""What a real camera does to a rendered picture; the same for every engine."""
