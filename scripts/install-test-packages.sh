#!/usr/bin/env bash
# Installs the Debian packages that the tests use, where this can be done (root and apt); those that are there already
# cost nothing. Without them the tests concerned are skipped and say so.
set -euo pipefail
missing=()
command -v nginx >/dev/null || missing+=(nginx-light)
command -v haproxy >/dev/null || missing+=(haproxy)
command -v caddy >/dev/null || missing+=(caddy)
command -v ip >/dev/null && command -v tc >/dev/null || missing+=(iproute2)
command -v wrk >/dev/null || missing+=(wrk)
command -v openssl >/dev/null || missing+=(openssl)
command -v curl >/dev/null || missing+=(curl)
command -v chromium >/dev/null || missing+=(chromium)
command -v promtool >/dev/null || missing+=(promtool)
command -v shellcheck >/dev/null || missing+=(shellcheck)
command -v systemd-analyze >/dev/null || missing+=(systemd)
[ "${#missing[@]}" -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "not installed: ${missing[*]}; the tests that need them will be skipped" >&2
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
packages=()
for name in "${missing[@]}"; do
  [ "$name" = promtool ] || packages+=("$name")
done
[ "${#packages[@]}" -eq 0 ] || apt-get install -y -qq --no-install-recommends "${packages[@]}"
if ! command -v promtool >/dev/null; then
  # One program of the package prometheus, whose server and pages nobody needs here.
  folder=$(mktemp -d)
  chown _apt "$folder"
  (cd "$folder" && apt-get download -qq prometheus && dpkg-deb --fsys-tarfile prometheus_*.deb | tar -xf - ./usr/bin/promtool)
  install -m 755 "$folder/usr/bin/promtool" /usr/local/bin/promtool
  rm -r "$folder"
fi
