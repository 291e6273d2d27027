# One static binary and nothing else: no shell, no libraries, no root. docs/image.md has the reasons.
#
#   docker buildx build --platform linux/amd64,linux/arm64 --tag NAME .     from the sources, with a daemon
#   make image                                                              the stage `prebuilt`: no daemon, no registry

# What every image is, whoever built its binary.
FROM scratch AS base
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="bedrock-profiles" \
      org.opencontainers.image.description="Kubernetes admission controller that replaces Amazon Bedrock direct model IDs by inference profile IDs" \
      org.opencontainers.image.source="https://github.com/bedrock-profiles/bedrock-profiles" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# A number, so that the kubelet can see that it is not root.
USER 65532:65532
EXPOSE 8443 8080
ENTRYPOINT ["/bedrock-profiles"]

# The binary that `image/binary` has left in the build context.
FROM base AS prebuilt
ARG TARGETARCH
COPY --chmod=0755 target/image/${TARGETARCH}/bedrock-profiles /bedrock-profiles

# Runs on the machine that builds and compiles for the one that is meant: nothing is emulated.
FROM --platform=$BUILDPLATFORM rust:1.95.0-bookworm AS build
ARG TARGETARCH
# hadolint ignore=DL3008
RUN case "$(dpkg --print-architecture):${TARGETARCH}" in \
      amd64:arm64) set -- gcc-aarch64-linux-gnu libc6-dev-arm64-cross; target=aarch64-unknown-linux-gnu ;; \
      arm64:amd64) set -- gcc-x86-64-linux-gnu libc6-dev-amd64-cross; target=x86_64-unknown-linux-gnu ;; \
      *) exit 0 ;; \
    esac \
 && apt-get update \
 && apt-get install --yes --no-install-recommends "$@" \
 && rm -rf /var/lib/apt/lists/* \
 && rustup target add "${target}"
# rust-toolchain.toml asks for lints and formatter too, which are not needed here.
ENV RUSTUP_TOOLCHAIN=1.95.0
WORKDIR /src
COPY . .
RUN image/binary "${TARGETARCH}" /out/bedrock-profiles

FROM base
COPY --from=build /out/bedrock-profiles /bedrock-profiles
