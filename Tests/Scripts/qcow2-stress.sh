#!/bin/sh
# The qcow2 writer's random tests (writes compared with a flat copy, power cuts, damaged tables) from fresh seeds
# and many times over; qemu-img judges. Usage: qcow2-stress.sh [FACTOR [SEED]]; a failure names its seed here.
set -eu
cd "$(dirname "$0")/../.."
factor=${1:-8}
seed=${2:-$(date +%s)}
echo "qcow2-stress: $factor times, seed $seed"
swift build --build-tests
DISKGRAFT_QCOW2_EFFORT=$factor DISKGRAFT_QCOW2_SEED=$seed swift test --skip-build \
    --filter 'QCOW2(Writing|Crash|Hostile)Tests'
