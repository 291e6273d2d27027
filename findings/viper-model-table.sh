#!/usr/bin/env bash
# viper turns a table keyed by model ID into the entries "anthropic" and "eu", with zeros.
#
# Package: Go module github.com/spf13/viper v1.21.0.
#
# Behaviour: Unmarshal takes each dot of a key for a level, also where the file has one key. Three
# entries of a price table become two, named after the vendor and the geography, and what they
# contain is unknown to the struct and dropped: no error. With values that are texts it is an error.
# UnmarshalKey of the same table is right, and so is Unmarshal with another KeyDelimiter.
#
# An engineer would expect: the keys that the YAML has, or an error, and both functions to agree.
#
# Why it matters: limits, prices and profile IDs by model are tables keyed by model ID. The number of
# dots differs between direct and profile IDs, so a table with direct IDs gets one entry `anthropic`
# and, after the move to profiles, one entry `eu`: every budget is 0 before and after.
#
# Output seen on 2026-11-30, for anthropic.claude-sonnet-4-6: {input: 3},
# eu.anthropic.claude-sonnet-4-6: {input: 3.3} and eu.anthropic.claude-haiku-4-5-20251001-v1:0: {input: 1.1}:
#   Unmarshal                          anthropic: 0, eu: 0
#   UnmarshalKey                       the three entries
#   Unmarshal with KeyDelimiter("::")  the three entries
#   Unmarshal of a table of texts      an error
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > main.go <<'EOF'
package main

import (
	"fmt"
	"strings"

	"github.com/spf13/viper"
)

type price struct{ Input float64 }

func read(v *viper.Viper, text string) *viper.Viper {
	v.SetConfigType("yaml")
	if err := v.ReadConfig(strings.NewReader(text)); err != nil {
		panic(err)
	}
	return v
}

func main() {
	prices := `
prices:
  anthropic.claude-sonnet-4-6: {input: 3}
  eu.anthropic.claude-sonnet-4-6: {input: 3.3}
  eu.anthropic.claude-haiku-4-5-20251001-v1:0: {input: 1.1}
`
	v := read(viper.New(), prices)
	var whole, other struct{ Prices map[string]price }
	var table map[string]price
	err := v.Unmarshal(&whole)
	fmt.Println("Unmarshal", err, whole.Prices)
	err = v.UnmarshalKey("prices", &table)
	fmt.Println("UnmarshalKey", err, table)
	err = read(viper.NewWithOptions(viper.KeyDelimiter("::")), prices).Unmarshal(&other)
	fmt.Println("KeyDelimiter", err, other.Prices)

	var texts struct{ Profiles map[string]string }
	err = read(viper.New(), "profiles: {anthropic.claude-sonnet-4-6: eu.anthropic.claude-sonnet-4-6}").Unmarshal(&texts)
	fmt.Println("texts", err != nil)
}
EOF
{
	go mod init example.com/probe
	go get github.com/spf13/viper@v1.21.0
	go build -o probe .
} 2> go.log || { cat go.log; exit 1; }
./probe > seen
diff - seen <<'EOF'
Unmarshal <nil> map[anthropic:{0} eu:{0}]
UnmarshalKey <nil> map[anthropic.claude-sonnet-4-6:{3} eu.anthropic.claude-haiku-4-5-20251001-v1:0:{1.1} eu.anthropic.claude-sonnet-4-6:{3.3}]
KeyDelimiter <nil> map[anthropic.claude-sonnet-4-6:{3} eu.anthropic.claude-haiku-4-5-20251001-v1:0:{1.1} eu.anthropic.claude-sonnet-4-6:{3.3}]
texts true
EOF
echo 'ok: viper.Unmarshal reads a price table keyed by model ID as {anthropic: 0, eu: 0}'
