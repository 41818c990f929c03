#!/bin/sh
# Unpacks Debian's postfix below .toolchain, where the tests look for it: installed it would exclude exim4, which the tests
# meet, too. Where it cannot be had the tests skip it, loudly and counted.
set -eu
place="$(cd "$(dirname "$0")/.." && pwd)/.toolchain/debian"
[ ! -x "$place/postfix/usr/sbin/postfix" ] || exit 0
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && command -v dpkg >/dev/null || exit 0
echo 'viassh setup: unpacking postfix from Debian' >&2
mkdir -p "$place"
fresh=$(mktemp -d "$place/unpacking-XXXXXX")
trap 'rm -rf "$fresh"' EXIT
trap 'exit 130' HUP INT TERM
cd "$fresh"
download() { apt-get download -o APT::Sandbox::User=root postfix >/dev/null 2>&1; }
download || { apt-get update >/dev/null 2>&1 && download; } ||
  { echo 'viassh setup: postfix cannot be had; its tests will be skipped' >&2; exit 0; }
# What it needs to run; nothing of that is a service.
missing=
for library in $(dpkg-deb -f ./postfix_*.deb Depends | tr ',' '\n' | sed 's/[(|].*//' | grep -o 'lib[^ ]*'); do
  dpkg-query -W -f '${Status}' "$library" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $library"
done
[ -z "$missing" ] || DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing >/dev/null 2>&1 ||
  { echo "viassh setup: the libraries of postfix cannot be had:$missing; its tests will be skipped" >&2; exit 0; }
dpkg -x ./postfix_*.deb root
chmod 755 root
mv -T root "$place/postfix" 2>/dev/null || true # another one was first
