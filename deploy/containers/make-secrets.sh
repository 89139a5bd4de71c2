#!/bin/sh
# Makes the secrets of compose.yaml in secrets/, once: a file that is there already stays as it is.
# Back up secrets/master_key apart from the database: without it the secrets in the database are lost.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets

# Written whole or not at all. Readable for the container's user, which is another one than the folder's.
make() {
  [ -e "secrets/$1" ] && return
  printf '%s' "$2" >"secrets/.$1"
  chmod 444 "secrets/.$1"
  mv "secrets/.$1" "secrets/$1"
  echo "已生成 made  secrets/$1"
}

random() { openssl rand -hex 24; }

make database_owner_password "$(random)"
make database_serve_password "$(random)"
make database_owner_url "postgresql://acopay_owner:$(cat secrets/database_owner_password)@postgres:5432/acopay"
make database_serve_url "postgresql://acopay_serve:$(cat secrets/database_serve_password)@postgres:5432/acopay"
make master_key "$(openssl rand -base64 32)"
make grafana_password "$(random)"
