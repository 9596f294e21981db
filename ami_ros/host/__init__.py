# SPDX-License-Identifier: Apache-2.0
"""The computer that the mind runs on, read from files under a root, so that tests give it one."""
