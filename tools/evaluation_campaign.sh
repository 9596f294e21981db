#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures a module by the frozen protocol: 200 episodes a row, two rows at a time. A report that
# exists is kept, so that a killed campaign goes on where it was.
#   tools/evaluation_campaign.sh [MODULE [OUT [EPISODES]]]      default: the shipped module, docs/reports, 200
set -euo pipefail
cd "$(dirname "$0")/.."
module=${1:-} out=${2:-docs/reports} episodes=${3:-200}
ami=${AMI_ROS:-.venv/bin/ami-ros}
mkdir -p "$out"

rows() {
  for k in 10 20 40; do echo "world_model-$k --planner world_model --goal-steps $k"; done
  for k in 10 20; do echo "retrieval-$k --planner retrieval --goal-steps $k"; done
  for planner in world_model retrieval; do
    echo "$planner-20-moved --planner $planner --goal-steps 20 --furniture-moved"
  done
  for k in 10 20 40; do echo "oracle-$k --planner oracle --goal-steps $k"; done
  for k in 10 20; do echo "random-$k --planner random --goal-steps $k"; done
  echo "retrieval-40 --planner retrieval --goal-steps 40"
}

unseen() {      # ten rooms that the module never saw
  for world in 100 101 102 103 104 105 106 107 108 109; do
    echo "unseen-$world --planner world_model --goal-steps 20 --world-seed $world"
  done
}

one() {
  name=$1; shift
  [ -f "$out/$name.json" ] && return
  $ami evaluate "$@" --seed 1000 --module "$module" --report "$out/$name.json" 2>/dev/null \
    | grep -v '^report' | sed "s/^/$name: /"
}

export -f one
export module out ami
{
  rows | sed "s/\$/ --episodes $episodes/"
  unseen | sed "s/\$/ --episodes $((episodes / 10))/"
} | xargs -P 2 -d '\n' -I{} bash -c 'one $1' _ {}
"${PYTHON:-python3}" ami_ros/validation/tables/success_rates.py "$out"
