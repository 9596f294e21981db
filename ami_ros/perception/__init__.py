# SPDX-License-Identifier: Apache-2.0
"""From a camera message to the image that the networks take."""
