#!/usr/bin/env bash
# get.sh SUITE DEST: unpack the Neovim of another Debian suite (trixie has 0.10.4) into DEST and print the path
# of its command, DEST/bin/nvim.
#
# apt itself fetches and verifies the packages, with lists and status of its own: the machine's apt does not
# notice. They bring their own libc, and patchelf ties the program to it, so the machine's libraries stay out.
# The mirror is the one this machine already uses.
set -euo pipefail

die() {
	echo "editors/nvim/get.sh: $*" >&2
	exit 1
}

[ $# = 2 ] || die "usage: get.sh SUITE DEST"
suite=$1
dest=$(realpath -m "$2")
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

for tool in apt-get dpkg patchelf; do
	command -v "$tool" >/dev/null || die "$tool is missing: run editors/setup.sh as root"
done
[ -r "$keyring" ] || die "$keyring is missing: apt-get install debian-archive-keyring"

# mirror prints the first address of Debian's main archive in the machine's own sources (both of apt's formats).
mirror() {
	find /etc/apt/sources.list /etc/apt/sources.list.d -name '*.list' -o -name '*.sources' 2>/dev/null | sort |
		xargs -r awk '
			/^URIs:/ { for (i = 2; i <= NF; i++) print $i }
			/^deb / { sub(/\[[^]]*\]/, ""); print $2 }' |
		grep -E '/debian/?$' | head -n 1
}

archive=$(mirror) || true
[ -n "$archive" ] || die "no Debian mirror (an address that ends in /debian) in /etc/apt/sources.list or /etc/apt/sources.list.d"

# Packages are unpacked beside DEST and renamed into place: DEST is whole or not there.
mkdir -p "$(dirname "$dest")"
state=$(mktemp -d)
staging=$(mktemp -d "$dest.XXXXXX")
trap 'rm -rf "$state" "$staging"' EXIT

mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
: >"$state/status"
echo "deb [signed-by=$keyring] $archive $suite main" >"$state/sources.list"

private_apt() {
	apt-get -qq \
		-o Dir::Etc::SourceList="$state/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::State::Lists="$state/lists" \
		-o Dir::State::status="$state/status" \
		-o Dir::Cache="$state/cache" \
		-o Acquire::Languages=none \
		-o APT::Install-Recommends=false \
		-o APT::Sandbox::User="$(id -un)" \
		-o Debug::NoLocking=true \
		"$@"
}

private_apt update || die "apt cannot read the suite $suite from $archive"
private_apt --yes --download-only install neovim || die "apt cannot fetch neovim of $suite from $archive"
for package in "$state"/cache/archives/*.deb; do
	dpkg -x "$package" "$staging"
done

loader=$(cd "$staging" && find . -name 'ld-linux*.so.*' -type f -printf '%P\n' | sort | head -n 1)
[ -n "$loader" ] || die "the packages of $suite hold no dynamic loader"
libraries=$(dirname "$loader")
patchelf --set-interpreter "$dest/$loader" --force-rpath --set-rpath "$dest/$libraries" "$staging/usr/bin/nvim"

mkdir -p "$staging/bin"
cat >"$staging/bin/nvim" <<WRAPPER
#!/bin/sh
VIMRUNTIME='$dest/usr/share/nvim/runtime' exec '$dest/usr/bin/nvim' "\$@"
WRAPPER
chmod 755 "$staging" "$staging/bin/nvim"

# Somebody else may have finished first: theirs is as good.
mv -T "$staging" "$dest" 2>/dev/null || [ -x "$dest/bin/nvim" ] || die "cannot write $dest"
"$dest/bin/nvim" --version >/dev/null || die "$dest/bin/nvim does not start"
echo "$dest/bin/nvim"
