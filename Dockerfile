FROM oven/bun:1.4.5 AS build
WORKDIR /app
COPY package.json bun.lock bunfig.toml ./
RUN bun install --frozen-lockfile --production
COPY tsconfig.json CHANGELOG.md .env.example ./
COPY scripts/build.ts scripts/
COPY docs/*.md docs/
COPY spec spec
COPY client client
COPY src src
RUN bun run build
# The image holds the binary, the C library's files that it names, and its data folder.
RUN mkdir -p image/usr/local/bin data \
 && cp dist/parley image/usr/local/bin/ \
 && ldd dist/parley | grep -o '/[^ ]*' | xargs -I{} cp --parents --dereference {} image

FROM scratch
# The revision is that of the build: --build-arg REVISION=$(git rev-parse HEAD)
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Parley" \
      org.opencontainers.image.description="Registration, login, profiles and real-time messaging as one Bun-native microservice." \
      org.opencontainers.image.version="1.3.0" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /app/image /
COPY --from=build --chown=65532:65532 /app/data /data
ENV NODE_ENV=production PATH=/usr/local/bin HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
USER 65532:65532
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["parley", "healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["parley"]
