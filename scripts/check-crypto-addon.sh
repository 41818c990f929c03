#!/bin/sh
# ssh2 falls back to JavaScript without a word when its crypto addon does not load. Say it, or fail where it could be built.
set -eu
cd "$(dirname "$0")/.."
cd packages/transport-ssh2
addon=lib/protocol/crypto/build/Release/sshcrypto.node
if node -e "require('ssh2/$addon')" 2>/dev/null; then exit 0; fi
if command -v python3 >/dev/null && command -v make >/dev/null && { command -v g++ >/dev/null || command -v c++ >/dev/null; }; then
  echo 'viassh setup: a compiler is here, but the crypto addon of ssh2 does not load:' >&2
  node -e "require('ssh2/$addon')" >&2 || true
  exit 1
fi
echo 'viassh setup: no compiler here: ssh2 runs on its JavaScript ciphers, which are slower' >&2
