#!/bin/sh
# Builds the Dockerfile for real, and shows what is in the image: on a machine without an image registry. As root, on Debian 12, with
# buildah, podman, runc, debootstrap and PostgreSQL's programs installed. The two base images are made of Debian's packages and this machine's Node
# and npm, under the names that the Dockerfile has. Leaves the images in place: the second run is quicker.
#   deploy/try/image.sh [FOLDER]      the folder keeps the base images' files
set -eu
cd "$(dirname "$0")/../.."
work="${1:-$(mktemp -d)}"
name() { sed -n "s/^ARG $1=//p" deploy/containers/Dockerfile; }
node_image="$(name NODE_IMAGE)"
base_image="$(name BASE_IMAGE)"
version="$(node -p 'require("./package.json").version')"

if ! podman image exists "$node_image"; then
  debootstrap --variant=minbase bookworm "$work/node" >/dev/null
  cp "$(readlink -f "$(command -v node)")" "$work/node/usr/local/bin/node"
  cp -a "$(npm root -g)/npm" "$work/node/usr/local/lib/npm"
  ln -sf ../lib/npm/bin/npm-cli.js "$work/node/usr/local/bin/npm"
  mkdir -p "$work/node/etc/ssl/certs"
  cp /etc/ssl/certs/ca-certificates.crt "$work/node/etc/ssl/certs/"
  tar -C "$work/node" -c . | podman import -c 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' - "$node_image" >/dev/null
fi
if ! podman image exists "$base_image"; then
  # What distroless/cc is made of.
  mkdir -p "$work/packages" "$work/base/tmp" "$work/base/etc/ssl/certs"
  (cd "$work/packages" && apt-get download -qq libc6 libgcc-s1 libstdc++6 libgomp1 base-files netbase tzdata media-types 2>/dev/null)
  for package in "$work"/packages/*.deb; do dpkg -x "$package" "$work/base"; done
  cp /etc/ssl/certs/ca-certificates.crt "$work/base/etc/ssl/certs/"
  echo 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' >"$work/base/etc/passwd"
  echo 'nonroot:x:65532:' >"$work/base/etc/group"
  chmod 1777 "$work/base/tmp"
  tar -C "$work/base" -c . | podman import - "$base_image" >/dev/null
fi

# `chroot`: a sandbox inside which no other one can be made.
buildah bud --isolation chroot --network host --pull-never --format docker --layers=false --file deploy/containers/Dockerfile \
  --build-arg "REVISION=$(git rev-parse HEAD)" --tag "acopay:$version" .
podman image inspect "acopay:$version" --format '{{.Size}} bytes, user {{.User}}, {{.Config.Entrypoint}} {{.Config.Cmd}}'
