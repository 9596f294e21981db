#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the package with colcon and starts every executable from the install space:
# tools/colcon_check.sh VENV FOLDER. Ends with `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$PWD/$1/bin
out=$PWD/$2
rm -rf "$out"
mkdir -p "$out/elsewhere"

PATH="$bin:$PATH" "$bin/colcon" --log-base "$out/log" build --paths . \
  --build-base "$out/build" --install-base "$out/install" --event-handlers console_direct- ||
  { tail -n 40 "$out"/log/latest_build/ami_ros/stdout_stderr.log; exit 1; }
install=$out/install/ami_ros
set +u; source "$out/install/setup.bash"; set -u
cd "$out/elsewhere"                                 # not beside the sources

passed=0 failed=0
check() {
  local name=$1 answer rc=0; shift
  answer=$(timeout 30 "$@" 2>&1 < /dev/null) || rc=$?
  if [ $rc -eq 0 ]; then
    passed=$((passed + 1)); echo "ok      $name"
  else
    [ $rc -eq 124 ] && answer+=' did not end within 30 s'
    failed=$((failed + 1)); echo "FAILED  $name"; tail -n 15 <<< "$answer" | sed 's/^/         /'
  fi
}
usage() { "$@" --help | grep -i -m 1 usage; }
export -f usage

check 'ami_ros comes from the install space' "$bin/python" -c "
import ami_ros, pathlib; assert pathlib.Path(ami_ros.__file__).is_relative_to('$install'), ami_ros.__file__"
for file in urdf/rover.urdf launch/sim.launch.py config/rover_node_parameters.yaml package.xml; do
  check "share/ami_ros/$file" test -s "$install/share/ami_ros/$file"
done
check 'share() finds the installed URDF' "$bin/python" -c "
from ami_ros.core.share_directory import share; assert share('urdf/rover.urdf').is_relative_to('$install')"
check 'the ament index knows ami_ros' test -e "$install/share/ament_index/resource_index/packages/ami_ros"
names=$("$bin/python" -c "
from importlib.metadata import distribution
print(*sorted(e.name for e in distribution('ami_ros').entry_points))")
for name in $names; do
  check "lib/ami_ros/$name --help" bash -o pipefail -c 'usage "$0"' "$install/lib/ami_ros/$name"
done
echo "colcon: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
