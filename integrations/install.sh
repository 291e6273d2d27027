#!/bin/sh
# Downloads a released binary of bedrock-profiles, checks its checksum, and installs it into a folder.
#
#   install.sh RELEASES VERSION FOLDER
#
# RELEASES is the URL of the downloads of a repository, such as https://HOST/OWNER/bedrock-profiles/releases/download. A release has
# bedrock-profiles-PLATFORM.tar.gz for each platform, and SHA256SUMS.
set -eu
releases=${1%/} version=${2#v} folder=$3

platform=$(uname -s)/$(uname -m)
case $platform in
  Linux/x86_64) platform=linux-amd64 ;;
  Linux/aarch64) platform=linux-arm64 ;;
  *) echo "error: there is no binary for $platform; cargo install --path . builds one" >&2; exit 2 ;;
esac

archive=bedrock-profiles-$platform.tar.gz
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for file in "$archive" SHA256SUMS; do
  curl --fail --silent --show-error --location --retry 3 --output "$work/$file" "$releases/v$version/$file"
done
# An archive that SHA256SUMS does not list leaves nothing to check, which is a failure too.
grep -F "  $archive" "$work/SHA256SUMS" >"$work/expected" || { echo "error: SHA256SUMS does not list $archive" >&2; exit 2; }
(cd "$work" && sha256sum --check --strict --quiet expected)
mkdir -p "$folder"
tar --extract --gzip --file "$work/$archive" --directory "$folder" bedrock-profiles
