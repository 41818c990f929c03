#!/bin/sh
# `npm run bench`: sets everything up and measures viassh beside its peers. Options: see bench/README.md.
set -eu
cd "$(dirname "$0")/.."
sh scripts/bootstrap.sh
. scripts/toolchain.sh
exec node bench/main.ts "$@"
