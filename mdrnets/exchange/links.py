"""Addresses that descriptions of the project name."""

LICENCE = "https://spdx.org/licenses/MIT"
PAPER = "https://arxiv.org/abs/2204.02824"
