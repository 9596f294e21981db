# SPDX-License-Identifier: Apache-2.0
# make sim       drive a simulated rover to four goal pictures over ROS 2; the report is in runs/
# make test      lint and all tests but the slow ones            make test ARGS="-k speed"
# make test-all  these and the slow ones; what CI runs
# make setup     .venv with all that a developer needs         make PYTHON=python3.12 setup
# make lint      ruff and mypy
# make bench     latencies of every stage, one JSON line last
# make kilted    the ROS tests, but the slow ones, on the wheels of ROS 2 Kilted
# make colcon    a real colcon build; every executable started from the install space
# make tensorrt every exported network is built by a real TensorRT (RTX), which needs no GPU
# make nightly   the critic's coverage, its mutants, a million fuzzed messages; goes on where it ended
# make clean     remove what these made; recordings in runs/ stay

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := test
.PHONY: sim test test-slow test-all setup lint bench kilted colcon tensorrt nightly clean
MAKEFLAGS += --no-print-directory
PYTHON ?= python3
ARGS ?=
export PYTHON

# two spinning threads on two busy cores cost ten times
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export OMP_WAIT_POLICY := PASSIVE

CRITICS_TESTS := test/critic

setup:
	@tools/setup_venv.sh .venv sim ros train dev

sim:
	@tools/setup_venv.sh .venv sim ros
	@.venv/bin/ami-ros sim $(ARGS)

lint:
	@tools/setup_venv.sh .venv dev
	@.venv/bin/ruff check .
	@.venv/bin/mypy

# a file of tests is run by one process, so that what it sets up is made once
PYTEST := .venv/bin/python -m pytest -n auto --maxprocesses 4 --dist loadfile

test: setup lint
	@$(PYTEST) -m 'not slow' $(ARGS)

test-slow: setup
	@$(PYTEST) -m slow $(ARGS)

test-all: test test-slow

bench:
	@tools/setup_venv.sh .venv sim ros
	@mkdir -p runs
	@.venv/bin/ami-ros bench --report runs/bench.json $(ARGS)

# always the wheels, also where another ROS is sourced; what is slow does not depend on which ROS it is
kilted:
	@tools/setup_venv.sh .venv-kilted sim ros-kilted dev
	@env -u ROS_DISTRO -u PYTHONPATH -u AMENT_PREFIX_PATH -u LD_LIBRARY_PATH -u RMW_IMPLEMENTATION \
	  .venv-kilted/bin/python -m pytest -n auto --maxprocesses 4 --dist loadfile -m 'ros and not slow' $(ARGS)

colcon:
	@tools/setup_venv.sh .venv sim ros dev
	@tools/colcon_check.sh .venv build_colcon

tensorrt:
	@tools/setup_venv.sh .venv sim ros train dev tensorrt-rtx
	@.venv/bin/python -m pytest test/inference/test_tensorrt_rtx_build.py $(ARGS)

# a mutant that lives must stand in docs/mutation_testing.md, with a reason
nightly: setup
	@mkdir -p runs
	@.venv/bin/python -m coverage run -m pytest -q $(CRITICS_TESTS)
	@.venv/bin/python -m coverage report
	@.venv/bin/python tools/mutate.py --all --report runs/mutants.json
	@.venv/bin/python -m ami_ros.validation.fuzzing.critic --count 1000000 --report runs/fuzz.json

clean:
	rm -rf .venv .venv-kilted build build_colcon *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
