#!/usr/bin/env bash
# BusyBox ash accepts bash's tests and replacements, with other results for a profile ID.
#
# Package: Debian busybox 1:1.35.0-4+deb12u1 (BusyBox v1.35.0), beside bash.
#
# Behaviour: ash has `${M/text/text}` but not its anchors: in `${M/#eu./us.}` and `${M/%:0/}` the sign
# is searched as a character, and nothing is replaced. It has `[[ … =~ … ]]` but drops the backslash of
# an unquoted pattern, so `^us\.` also matches `us-gov.`. It has `[[ … == … ]]` but a quoted pattern is
# still a pattern. Exit status and standard error say nothing.
#
# An engineer would expect: bash's result, or the syntax error or "bad substitution" that dash gives.
# ash does give that for other features of bash.
#
# Why it matters: entry points of small images take the geography off an ID, exchange it, or choose a
# region by it. In such an image the ID keeps its old geography, and a GovCloud profile counts as `us.`
# Use what both agree on: `${M#eu.}`, `${M%%.*}` and `case $M in us.*)`.
#
# Output seen on 2026-11-30:
#   M=eu.anthropic.claude-sonnet-4-6                          bash                       ash
#   ${M/#eu./us.}                                             us.anthropic.…             eu.anthropic.…
#   M=us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0
#   ${M/%:0/}                                                 …-v1                       …-v1:0
#   [[ $M =~ ^us\. ]]                                         no                         yes
#   [[ $M == "us*" ]]                                         no                         yes
#   us.${M#us-gov.}                                           us.anthropic.…             us.anthropic.…
#   case $M in us.*)                                          no                         no
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

apt-get download -q 'busybox=1:1.35.0-4+deb12u1*' > apt.log 2>&1 || { cat apt.log; exit 1; }
dpkg -x busybox_*.deb .
version=$(./bin/busybox | sed -n 1p)
case $version in
"BusyBox v1.35.0 "*) ;;
*) echo "another version: $version" >&2 && exit 1 ;;
esac

cat > statements <<'EOF'
M=eu.anthropic.claude-sonnet-4-6; echo "${M/#eu./us.}"
M=us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0; echo "${M/%:0/}"
M=us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0; [[ $M =~ ^us\. ]] && echo yes || echo no
M=us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0; [[ $M == "us*" ]] && echo yes || echo no
M=us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0; echo "us.${M#us-gov.}"
M=us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0; case $M in us.*) echo yes ;; *) echo no ;; esac
EOF
while IFS= read -r statement; do
	printf '%s | %s\n' "$(bash -c "$statement" 2>&1)" "$(./bin/busybox ash -c "$statement" 2>&1)"
done < statements > seen
diff - seen <<'EOF'
us.anthropic.claude-sonnet-4-6 | eu.anthropic.claude-sonnet-4-6
us-gov.anthropic.claude-sonnet-4-5-20250929-v1 | us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0
no | yes
no | yes
us.anthropic.claude-sonnet-4-5-20250929-v1:0 | us.anthropic.claude-sonnet-4-5-20250929-v1:0
no | no
EOF
echo "ok: BusyBox ash replaces no anchored prefix, and takes us-gov. for us. in =~"
