#!/bin/sh
# Everything that can be said of the code without running it. Needs the tool chain: scripts/bootstrap.sh.
set -eu
cd "$(dirname "$0")/.."
. scripts/toolchain.sh
step() { printf 'check: %s\n' "$1" >&2; shift; "$@"; }
step 'manifests and references are the template'"'"'s' node scripts/normalize-packages.ts --check
step 'imports keep to the table' node scripts/check-imports.ts
step 'types' pnpm exec tsc -b
step 'the command is bundled' node scripts/bundle.ts
step 'types of tests, examples, bench and scripts' pnpm exec tsc -p tsconfig.test.json
step 'lint' pnpm exec oxlint --type-aware --deny-warnings
step 'format' pnpm exec biome format
step 'nothing unused' pnpm exec knip
for package in packages/*/; do
  grep -q '"private": true' "$package/package.json" && continue
  step "$package can be published" sh -c "cd $package && pnpm exec publint --strict && pnpm exec attw --pack --profile esm-only --quiet"
done
echo 'check: all good' >&2
