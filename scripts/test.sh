#!/bin/sh
# `npm test`: sets everything up (the real programs too, as root on Debian) and runs every test. Words after it name test files.
# VIASSH_NO_SKIP=1 makes a skip a failure.
set -eu
cd "$(dirname "$0")/.."
sh scripts/bootstrap.sh
sh scripts/debian-packages.sh
sh scripts/unpack-postfix.sh
sh scripts/build-ppp-guest.sh
. scripts/toolchain.sh
mkdir -p .test-output
VIASSH_RUNTIME_DIR=$(mktemp -d)
export VIASSH_RUNTIME_DIR
trap 'rm -rf "$VIASSH_RUNTIME_DIR"' EXIT
trap 'exit 130' HUP INT TERM
{ pnpm exec tap --reporter=tap "$@" || echo "# tap ended with status $?"; } | node scripts/summarize-tap.ts .test-output/results.tap
