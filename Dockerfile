# syntax=docker/dockerfile:1
#
# One static binary with the dashboard inside, in an image with nothing else.
#
#   docker build --tag ai-gateway .
#   docker run --publish 127.0.0.1:8080:8080 --publish 127.0.0.1:8081:8081 ai-gateway
#
# Configuration: mount a folder with `default.toml` at /home/appuser/config, read-only (with
# `--env GATEWAY_ENV=production`, `production.toml` is read instead), or mount one file at
# /home/appuser/Config.toml and name it: `docker run … ai-gateway --config Config.toml`. With
# neither, the simulated provider answers. The database is in the volume /home/appuser/data.

FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends musl-tools \
    && rm -rf /var/lib/apt/lists/*
# What BuildKit builds for: amd64 or arm64. Without BuildKit: the machine itself.
ARG TARGETARCH
RUN case "${TARGETARCH:-$(dpkg --print-architecture)}" in \
        amd64) echo x86_64-unknown-linux-musl ;; \
        arm64) echo aarch64-unknown-linux-musl ;; \
        *) echo "no build for ${TARGETARCH}" >&2; exit 1 ;; \
    esac > /target-triple \
    && rustup target add wasm32-unknown-unknown "$(cat /target-triple)"
WORKDIR /source
COPY . .
# Debian's musl-gcc compiles for the architecture it runs on, as this stage does.
ENV CC_x86_64_unknown_linux_musl=musl-gcc \
    CC_aarch64_unknown_linux_musl=musl-gcc
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/target,id=target-${TARGETARCH},sharing=locked \
    triple="$(cat /target-triple)" \
    && CARGO_TARGET_DIR=/target cargo xtask build --release --target "$triple" \
    && mkdir -p /root-of-image/usr/local/bin /root-of-image/home/appuser/data /root-of-image/tmp \
    && cp "/target/$triple/release/ai-gateway" /root-of-image/usr/local/bin/ \
    && echo 'appuser:x:10001:10001::/home/appuser:' > /root-of-image/passwd \
    && chmod 1777 /root-of-image/tmp \
    && chown -R 10001:10001 /root-of-image/home/appuser

FROM scratch
COPY --from=build /root-of-image/passwd /etc/passwd
COPY --from=build /root-of-image/usr /usr
COPY --from=build /root-of-image/tmp /tmp
COPY --from=build --chown=10001:10001 /root-of-image/home /home
USER 10001:10001
WORKDIR /home/appuser
ENV HOME=/home/appuser \
    GATEWAY_SERVER_HOST=0.0.0.0 \
    GATEWAY_ADMIN_HOST=0.0.0.0 \
    GATEWAY_DATABASE_URL=sqlite:/home/appuser/data/gateway.db
VOLUME /home/appuser/data
# OpenAI's API, the dashboard and admin API, gRPC.
EXPOSE 8080 8081 8082
# SIGTERM drains: streams finish, every record is written.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/ai-gateway"]
