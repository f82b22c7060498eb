# syntax=docker/dockerfile:1
FROM node:26-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# The image has its Node; the one that the project brings for development is left out.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN node node_modules/typescript/bin/tsc -p tsconfig.build.json \
 && npm prune --omit=dev --ignore-scripts \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.md' \) -delete

FROM node:26-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
# Runs as nobody in particular, writes nothing: fits a read-only root file system.
USER 1000:1000
EXPOSE 8080 8443 10254
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["run", "--http-port=8080", "--https-port=8443"]
