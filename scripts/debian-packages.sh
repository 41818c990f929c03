#!/bin/sh
# Installs the real programs that the tests meet, where this is Debian and we are root. Starts no service.
# Prints what it does on stderr; what cannot be had is skipped by the tests, loudly and counted.
set -eu
wanted='openssh-server openssh-client dovecot-imapd fetchmail mutt isync procps iproute2 microsocks tinyproxy dropbear-bin xauth rsync cvs uucp git subversion mercurial unison borgbackup restic ansible-core sshfs alpine dovecot-managesieved dovecot-pop3d exim4-daemon-light msmtp neomutt offlineimap3 swaks curl iperf3 openssl autossh systemd xvfb x11-apps x11-utils x11-xserver-utils xterm slirp socat cpio sshuttle nftables busybox-static'
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && command -v dpkg-query >/dev/null || exit 0

missing=
for package in $wanted; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "viassh setup: installing from Debian:$missing" >&2
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then # a server that is installed for tests must not start on this machine
  printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' HUP INT TERM # so that the line above is run
fi
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold $missing >"$log" 2>&1; }
apt-get update >/dev/null 2>&1 || true
install || { cat "$log" >&2; echo 'viassh setup: some programs could not be installed; their tests will be skipped' >&2; }
rm -f "$log"
