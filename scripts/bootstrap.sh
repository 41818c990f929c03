#!/bin/sh
# Brings the tool chain (Node, pnpm) from npm into .toolchain, installs the packages, builds.
# Needs: any Node >= 18 with npm. Prints one line a step on stderr; stdout stays empty.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
. scripts/toolchain.sh

say() { printf 'viassh setup: %s\n' "$*" >&2; }
logged() { # logged NAME COMMAND…: run it quietly, show all it said when it fails
  log="$root/.toolchain/$1.log"; shift
  if ! "$@" >"$log" 2>&1; then say "failed: $*"; cat "$log" >&2; exit 1; fi
}

mkdir -p .toolchain
# Two at once (a mail program with two accounts, just after a pull) would build in each other's way: the second waits.
waited=0
until mkdir .toolchain/lock 2>/dev/null; do
  owner=$(cat .toolchain/lock/pid 2>/dev/null || true)
  if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then rm -rf .toolchain/lock; continue; fi
  [ "$waited" -lt 600 ] || { say "another set-up holds .toolchain/lock for ten minutes; remove it if that is not so"; exit 1; }
  sleep 1; waited=$((waited + 1))
done
echo "$$" > .toolchain/lock/pid
trap 'rm -rf "$root/.toolchain/lock"' EXIT
trap 'exit 130' HUP INT TERM
if [ "$(cat .toolchain/versions 2>/dev/null)" != "$TOOLCHAIN_VERSIONS" ]; then
  say "fetching Node $NODE_VERSION and pnpm $PNPM_VERSION from npm"
  # The platform's own package is named outright: no install script has to run.
  # Not by --prefix: npm would look for the machine's own settings (a proxy, a certificate) below it.
  printf '{ "private": true }\n' > .toolchain/package.json
  cd .toolchain
  logged npm npm install --update-notifier=false --no-save --no-package-lock --ignore-scripts --no-audit --no-fund \
    "$NODE_PACKAGE@$NODE_VERSION" "pnpm@$PNPM_VERSION"
  cd "$root"
  printf '%s' "$TOOLCHAIN_VERSIONS" > .toolchain/versions
fi

if ! setup_is_fresh; then
  say 'installing packages'
  # node-gyp must see the headers of this very Node, whatever npm's own settings say.
  npm_config_nodedir="$NODE_HOME" logged pnpm pnpm install --frozen-lockfile --config.confirm-modules-purge=false
  sh scripts/check-crypto-addon.sh
  say 'building'
  logged tsc pnpm exec tsc -b
  logged bundle node scripts/bundle.ts
  mark_setup_fresh
fi
