#!/bin/sh
# kubectl runs kubectl_complete-bedrock_profiles, a file in the PATH, for the candidates of `kubectl bedrock-profiles`.
exec kubectl-bedrock_profiles __complete -- "$@"
