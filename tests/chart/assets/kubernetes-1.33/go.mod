module bedrock-profiles.dev/tests/chart/assets/kubernetes-1.33

go 1.26.0

require k8s.io/kubernetes v1.33.13
