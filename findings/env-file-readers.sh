#!/usr/bin/env bash
# One env file, five readers, up to four different values of a line.
#
# Packages: Go github.com/joho/godotenv v1.5.1 and github.com/compose-spec/compose-go/v2 v2.16.2 (the
# reader of Docker Compose's env files), PyPI python-dotenv 1.2.4, npm dotenv 17.4.2 and
# dotenv-expand 12.0.3.
#
# Behaviour, with M for anthropic.claude-sonnet-4-5-20250929-v1:0, GEO=eu in the file, POD_GEO=us in
# the process, and BEDROCK_MODEL_ID unset (seen on 2026-11-30):
#   line                           godotenv  compose-go  python-dotenv  dotenv     dotenv-expand
#   ${BEDROCK_MODEL_ID:-M}         :-M}      M           M              unchanged  M
#   ${BEDROCK_MODEL_ID:-${GEO}.M}  :-eu.M}   eu.M        ${GEO.M}       unchanged  eu.M
#   ${POD_GEO}.M                   .M        us.M        us.M           unchanged  us.M
#   $GEO.M                         eu.M      eu.M        $GEO.M         unchanged  eu.M
#   '${GEO}.M'                     ${GEO}.M  ${GEO}.M    eu.M           unchanged  eu.M
#   M#eu                           M#eu      M#eu        M#eu           M          M
# No reader reports an error. godotenv looks variables up in the file only.
#
# An engineer would expect: all of them read the file that Docker Compose reads, and what they
# cannot expand is an error.
#
# Why it matters: an env file is where the geography of an inference profile ID is put before a model
# ID. A file that is right for the Python service gives the Go service `:-anthropic.…}` or
# `.anthropic.…`, which is no model ID. A whole ID, without variables, quotes and a comment behind
# it, is what all five agree on.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

model=anthropic.claude-sonnet-4-5-20250929-v1:0
cat > app.env <<EOF
GEO=eu
A=\${BEDROCK_MODEL_ID:-$model}
B=\${BEDROCK_MODEL_ID:-\${GEO}.$model}
C=\${POD_GEO}.$model
D=\$GEO.$model
E='\${GEO}.$model'
F=$model#eu
G=eu.$model
EOF
unset BEDROCK_MODEL_ID GEO A B C D E F G
export POD_GEO=us

mkdir go && cat > go/main.go <<'EOF'
package main

import (
	"fmt"
	"os"

	compose "github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/joho/godotenv"
)

func main() {
	plain, err := godotenv.Read("app.env")
	if err != nil {
		panic(err)
	}
	composed, err := compose.ReadWithLookup(os.LookupEnv, "app.env")
	if err != nil {
		panic(err)
	}
	for _, key := range []string{"A", "B", "C", "D", "E", "F", "G"} {
		fmt.Println(key, "1-godotenv", plain[key])
		fmt.Println(key, "2-compose-go", composed[key])
	}
}
EOF
(
	cd go
	go mod init example.com/probe
	go get github.com/joho/godotenv@v1.5.1 github.com/compose-spec/compose-go/v2/dotenv@v2.16.2
	go build -o ../readers .
) 2> go.log || { cat go.log; exit 1; }
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check python-dotenv==1.2.4
npm install --silent --no-audit --no-fund --prefix . dotenv@17.4.2 dotenv-expand@12.0.3 > /dev/null

./readers > seen
venv/bin/python - >> seen <<'EOF'
from dotenv import dotenv_values
for key, value in dotenv_values("app.env").items():
    if key != "GEO":
        print(key, "3-python-dotenv", value)
EOF
node - >> seen <<'EOF'
const read = () => require("dotenv").parse(require("fs").readFileSync("app.env"));
for (const [key, value] of Object.entries(read())) if (key !== "GEO") console.log(key, "4-dotenv", value);
const expanded = require("dotenv-expand").expand({ parsed: read() }).parsed;
for (const [key, value] of Object.entries(expanded)) if (key !== "GEO") console.log(key, "5-dotenv-expand", value);
EOF
LC_ALL=C sort seen | sed "s/$model/M/" > sorted
diff - sorted <<'EOF'
A 1-godotenv :-M}
A 2-compose-go M
A 3-python-dotenv M
A 4-dotenv ${BEDROCK_MODEL_ID:-M}
A 5-dotenv-expand M
B 1-godotenv :-eu.M}
B 2-compose-go eu.M
B 3-python-dotenv ${GEO.M}
B 4-dotenv ${BEDROCK_MODEL_ID:-${GEO}.M}
B 5-dotenv-expand eu.M
C 1-godotenv .M
C 2-compose-go us.M
C 3-python-dotenv us.M
C 4-dotenv ${POD_GEO}.M
C 5-dotenv-expand us.M
D 1-godotenv eu.M
D 2-compose-go eu.M
D 3-python-dotenv $GEO.M
D 4-dotenv $GEO.M
D 5-dotenv-expand eu.M
E 1-godotenv ${GEO}.M
E 2-compose-go ${GEO}.M
E 3-python-dotenv eu.M
E 4-dotenv ${GEO}.M
E 5-dotenv-expand eu.M
F 1-godotenv M#eu
F 2-compose-go M#eu
F 3-python-dotenv M#eu
F 4-dotenv M
F 5-dotenv-expand M
G 1-godotenv eu.M
G 2-compose-go eu.M
G 3-python-dotenv eu.M
G 4-dotenv eu.M
G 5-dotenv-expand eu.M
EOF
echo "ok: five readers of env files disagree over defaults, variables, quotes and # around a model ID"
