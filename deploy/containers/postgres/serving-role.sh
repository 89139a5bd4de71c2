#!/bin/sh
# Run once, by the image, when the database is made: the role with which gateways serve. It owns no table (docs/operating.md, two roles).
set -eu
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
  --set password="$(cat /run/secrets/database_serve_password)" <<'SQL'
create role acopay_serve login password :'password';
SQL
