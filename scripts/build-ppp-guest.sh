#!/bin/sh
# Builds a machine with a real pppd below .toolchain, as most kernels on which tests run have no PPP: Debian's user-mode-linux
# and one initramfs with its pppd, sshd and busybox. Nothing is installed. Where it cannot be had the tests skip it,
# loudly and counted. `init` and `xstate-shim.c` are in scripts/ppp-guest.
set -eu
scripts="$(cd "$(dirname "$0")" && pwd)"
place="$scripts/../.toolchain/debian"
mkdir -p "$place"
place="$(cd "$place" && pwd)"
sources="$scripts/build-ppp-guest.sh $scripts/ppp-guest/init $scripts/ppp-guest/xstate-shim.c"
made="$(cat $sources | cksum)"
[ "$(cat "$place/ppp-guest/made" 2>/dev/null)" != "$made" ] || exit 0
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && [ "$(dpkg --print-architecture)" = amd64 ] || exit 0
without() { echo "viassh setup: no PPP guest: $*; its tests will be skipped" >&2; exit 0; }
sshd="$(command -v sshd || echo /usr/sbin/sshd)"
for program in cpio gzip ssh-keygen busybox dpkg-deb "$sshd"; do
  command -v "$program" >/dev/null || without "$program is missing"
done

echo 'viassh setup: building the PPP guest from Debian' >&2
fresh="$(mktemp -d "$place/building-XXXXXX")"
trap 'rm -rf "$fresh"' EXIT
trap 'exit 130' HUP INT TERM
cd "$fresh"
packages='user-mode-linux ppp tcc libpcap0.8 libdbus-1-3'
download() { apt-get download -o APT::Sandbox::User=root $packages >download.log 2>&1; }
download || { apt-get update >/dev/null 2>&1 && download; } || { cat download.log >&2; without 'its packages cannot be had'; }
for package in ./*.deb; do dpkg-deb -x "$package" unpacked; done
kernel="$(echo unpacked/usr/lib/uml/modules/*)"

mkdir -p image/bin image/sbin image/usr/bin image/usr/sbin image/usr/lib image/lib/modules image/lib64 \
  image/lib/x86_64-linux-gnu image/etc/ssh image/root/.ssh image/home/user/.ssh image/proc image/sys image/dev \
  image/run/lock image/tmp image/var/log image/var/empty
ln -s ../run image/var/run
ln -s ../run/lock image/var/lock
chmod 1777 image/tmp
chmod 700 image/root image/root/.ssh image/home/user/.ssh
install -m 755 "$scripts/ppp-guest/init" image/init
install -m 755 "$(command -v busybox)" image/bin/busybox
for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s /bin/busybox "image/bin/$applet"; done
install -m 755 unpacked/usr/sbin/pppd unpacked/usr/sbin/chat "$sshd" image/usr/sbin/
mkdir -p image/usr/lib/pppd/2.4.9
cp -a unpacked/etc/ppp image/etc/
# The libraries of both, this system's before those unpacked.
for program in unpacked/usr/sbin/pppd "$sshd"; do
  LD_LIBRARY_PATH="$PWD/unpacked/usr/lib/x86_64-linux-gnu:$PWD/unpacked/lib/x86_64-linux-gnu" ldd "$program"
done >libraries
! grep 'not found' libraries >&2 || without 'a library is missing'
cp -L $(awk '$3 ~ /^\// { print $3 }' libraries | sort -u) image/lib/x86_64-linux-gnu/
cp -L /lib64/ld-linux-x86-64.so.2 image/lib64/
# A line of modules.dep has what a module needs from the nearest to the farthest.
for module in ipv6 ppp_async bsd_comp ppp_deflate dummy; do
  for needed in $(grep "/$module\.ko:" "$kernel/modules.dep" | tr -d : | tr ' ' '\n' | sed '1!G;h;$!d'); do
    name="${needed##*/}"
    [ ! -e "image/lib/modules/$name" ] || continue
    cp "$kernel/$needed" image/lib/modules/
    echo "$name" >>image/lib/modules/order
  done
done

cat >image/etc/passwd <<'END'
root:x:0:0:root:/root:/bin/sh
sshd:x:101:65534::/run/sshd:/bin/false
user:x:1000:1000::/home/user:/bin/sh
END
cat >image/etc/group <<'END'
root:x:0:
dip:x:30:user
user:x:1000:
nogroup:x:65534:
END
printf 'root:*:19000::::::\nsshd:*:19000::::::\nuser:*:19000::::::\n' >image/etc/shadow
printf '127.0.0.1 localhost\n' >image/etc/hosts
printf '/bin/sh\n' >image/etc/shells
printf 'passwd: files\ngroup: files\nshadow: files\n' >image/etc/nsswitch.conf
# client  server  secret  addresses
cat >image/etc/ppp/pap-secrets <<'END'
testuser * testpass *
alice * "wonder land" 10.99.0.7
user * "" *
END
sed '/^user/d' image/etc/ppp/pap-secrets >image/etc/ppp/chap-secrets
chmod 600 image/etc/ppp/*-secrets image/etc/shadow
for name in ip-up ip-down ipv6-up ipv6-down; do
  printf '#!/bin/sh\necho "%s $*" >>/var/log/ppp-scripts.log\n' "$name" >"image/etc/ppp/$name.d/9999log"
  chmod 755 "image/etc/ppp/$name.d/9999log"
done
ssh-keygen -q -t ed25519 -N '' -C viassh-test -f id_ed25519
ssh-keygen -q -t ed25519 -N '' -C ppp-guest -f host_ed25519
install -m 600 id_ed25519.pub image/root/.ssh/authorized_keys
install -m 600 id_ed25519.pub image/home/user/.ssh/authorized_keys
install -m 600 host_ed25519 image/etc/ssh/ssh_host_ed25519_key
cat >image/etc/ssh/sshd_config <<'END'
HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PrintMotd no
MaxStartups 100
LogLevel DEBUG1
END

tcc="$(find unpacked -name 'tcc' -type f -perm -100 | head -n 1)"
[ -n "$tcc" ] || tcc="$(find unpacked -name '*-tcc' -perm -100 | head -n 1)"
mkdir guest
"$tcc" -B"$(dirname "$(find unpacked -name libtcc1.a)")" -shared -nostdlib -o guest/xstate-shim.so "$scripts/ppp-guest/xstate-shim.c"
(cd image && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) | gzip -1 >guest/initramfs.gz
install -m 755 unpacked/usr/bin/linux.uml guest/linux.uml
mv id_ed25519 host_ed25519.pub guest/
echo "$made" >guest/made
rm -rf "$place/ppp-guest"
mv -T guest "$place/ppp-guest" 2>/dev/null || true # another one was first
