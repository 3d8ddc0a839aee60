#!/bin/sh
# Lets libvhdi and dissect.hypervisor read VHD and VHDX disks that diskgraft made, wrote to and made children of.
# Both come from PyPI, into a virtual environment beside the build; `swift test` alone does without them.
set -eu
cd "$(dirname "$0")/../.."
venv=${DISKGRAFT_VENV:-.build/hyperv-venv}
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet dissect.hypervisor libvhdi-python
fi
DISKGRAFT_JUDGE_PYTHON=$(cd "$venv/bin" && pwd)/python swift test --filter HyperVJudgeTests "$@"
