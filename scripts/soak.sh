#!/bin/sh
# `npm run soak`: the full-size forms of what `npm test` holds scaled down. VIASSH_SOAK_MINUTES (default 2) is for what goes
# by time, VIASSH_SOAK_IDLE_MINUTES (default 10) for the mail client that waits, VIASSH_SOAK_CUTS for random cuts and the
# waits beside them, VIASSH_FUZZ_INPUTS for made-up packets, VIASSH_SOAK_SEED repeats a run with random faults. Words after it name test files.
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
[ $# -gt 0 ] || set -- packages/e2e/soak/*.test.ts
minutes=${VIASSH_SOAK_MINUTES:-2}
whole=${minutes%%.*} # sh has no fractions
limit=$((${whole:-0} * 60 + 1500))
{ pnpm exec tap --reporter=tap --jobs=1 --timeout="$limit" --node-arg=--conditions=@viassh/source --node-arg=--expose-gc "$@" ||
  echo "# tap ended with status $?"; } | node scripts/summarize-tap.ts .test-output/soak.tap
grep -E '^ *# (VIASSH_SOAK_SEED|openssh:|ssh2:)' .test-output/soak.tap || true
