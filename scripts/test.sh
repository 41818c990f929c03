#!/bin/sh
# `npm test`: sets everything up (the real programs too, as root on Debian) and runs every test. Words after it name test files.
# VIASSH_NO_SKIP=1 makes a skip a failure.
set -eu
cd "$(dirname "$0")/.."
sh scripts/bootstrap.sh
sh scripts/debian-packages.sh
. scripts/toolchain.sh
mkdir -p .test-output
export NODE_COMPILE_CACHE="$PWD/.test-output/compile-cache" # and not in the machine's temporary folder
{ pnpm exec tap --reporter=tap "$@" || echo "# tap ended with status $?"; } | node scripts/summarize-tap.ts .test-output/results.tap
