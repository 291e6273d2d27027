// The module whose source has the JSON schema of SARIF 2.1.0, which tests read. No program is built from it.
module bedrock-profiles.dev/tests/data/sarif

go 1.26.0

require github.com/owenrumney/go-sarif/v3 v3.3.1
