#!/usr/bin/env bash
# Installs the real tools that the interoperation tests and benchmarks compare with (cosign, oras, kubectl) into a directory,
# without touching the system. They come from Debian, through the mirror that this machine's own apt sources name.
#
#   scripts/install-peers.sh [DIR [PACKAGE…]]     default: .peers, where the tests look for them
#
# Then: PATH="$PWD/.peers/usr/bin:$PATH"
set -euo pipefail

dir=${1:-"$(dirname "$0")/../.peers"}
shift || true
packages=(cosign oras kubectl)
[ $# -eq 0 ] || packages=("$@")

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
command -v apt-get >/dev/null && [ -f "$keyring" ] || {
  echo "install-peers: needs a Debian system; elsewhere, put cosign, oras and kubectl on the PATH yourself" >&2
  exit 2
}

# Both forms of apt sources: one-line ("deb URL suite") and deb822 ("URIs: URL").
mirror() {
  {
    grep -rhoE '^deb .*' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | grep -oE 'https?://[^ ]+/debian/?( |$)'
    grep -rhE '^URIs:' /etc/apt/sources.list.d 2>/dev/null | grep -oE 'https?://[^ ]+/debian/?( |$)'
  } | head -1 | tr -d ' '
}
url=$(mirror) || true
[ -n "$url" ] || { echo "install-peers: no Debian mirror in /etc/apt" >&2; exit 2; }

mkdir -p "$dir/.apt/lists/partial" "$dir/.apt/cache/archives/partial"
dir=$(cd "$dir" && pwd)
# The unstable suite has the current ones; only these packages are taken from it, and none is installed system-wide.
printf 'deb [signed-by=%s] %s sid main\n' "$keyring" "$url" >"$dir/.apt/sources.list"
options=(
  -o "Dir::Etc::sourcelist=$dir/.apt/sources.list" -o Dir::Etc::sourceparts=-
  -o "Dir::State::Lists=$dir/.apt/lists" -o "Dir::Cache=$dir/.apt/cache" -o APT::Sandbox::User=root
)
apt-get "${options[@]}" -qq update
cd "$dir/.apt"
apt-get "${options[@]}" -qq download "${packages[@]/%//sid}"
for archive in ./*.deb; do dpkg -x "$archive" "$dir"; done
rm -f ./*.deb
ls "$dir/usr/bin"
