# Two images: `server` (docker build --target server), and `runner`, which images for steps are built on.
# Neither holds a secret: tokens and keys come from the environment, the project and its state from volumes.

FROM node:24.21.0-bookworm-slim AS base
# Node as process 1 would leave the orphans of steps unburied. Debian keeps one version of a package only, so that a pinned
# one could not be installed for long.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install --yes --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
WORKDIR /opt/contender

# What is needed while it runs: no package of development, and no script of a package.
FROM base AS packages
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM base AS build
COPY package.json package-lock.json ./
RUN npm ci --include=dev --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
COPY runner ./runner
# After the system's own folders: the Node of the image comes first.
ENV PATH=$PATH:/opt/contender/node_modules/.bin
RUN node scripts/build.ts

FROM base AS program
COPY package.json LICENSE ./
COPY --from=packages /opt/contender/node_modules ./node_modules
COPY --from=build /opt/contender/dist ./dist
RUN ln -s /opt/contender/dist/src/cli/bin.js /usr/local/bin/contender
LABEL org.opencontainers.image.title="Contender" \
  org.opencontainers.image.licenses="Apache-2.0"

# Carries out one attempt where the server is not: what it is to do, it asks the server that started its pod.
FROM program AS runner
RUN install --directory --owner=1000 --group=1000 /srv/contender
WORKDIR /srv/contender
USER 1000:1000
STOPSIGNAL SIGTERM
HEALTHCHECK NONE
ENTRYPOINT ["tini", "--", "node", "/opt/contender/dist/runner/agent.js"]

FROM program AS server
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates git openssh-client \
  && rm -rf /var/lib/apt/lists/*
# A new volume takes its owner from the folder that it is mounted on.
RUN install --directory --owner=1000 --group=1000 --mode=0700 /srv/contender/.contender \
  && chown 1000:1000 /srv/contender
WORKDIR /srv/contender
USER 1000:1000
EXPOSE 8080 8081
VOLUME /srv/contender/.contender
STOPSIGNAL SIGTERM
# The server writes down where it listens; whatever port the configuration names, it is asked there.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(new URL('/healthz', JSON.parse(require('fs').readFileSync('/srv/contender/.contender/server-address.json', 'utf8')).url)).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# A server makes little that lives short: a small young generation saves 12 MB of memory (docs/operating.md).
ENV NODE_OPTIONS=--max-semi-space-size=4
ENTRYPOINT ["tini", "--", "contender"]
CMD ["serve"]
