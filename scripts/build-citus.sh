#!/bin/sh
# Builds Citus for the PostgreSQL of this machine and puts it into the server's own folders: npm run test:citus needs it.
# It fetches nothing. The source is an archive or an unpacked folder, of the version that goes with the server (13.2 for PostgreSQL 15 to 17):
#   sudo sh scripts/build-citus.sh citus-13.2.2.tar.gz        # from https://github.com/citusdata/citus/releases
# From Debian it needs: postgresql-15 postgresql-server-dev-15 build-essential flex libicu-dev libkrb5-dev liblz4-dev libzstd-dev
# libssl-dev libxml2-dev libxslt1-dev libpam0g-dev libselinux1-dev libreadline-dev. PG_CONFIG names another server's pg_config.
set -eu

source=${1:?say which archive or folder has the source of Citus}
pg_config=${PG_CONFIG:-$(ls -d /usr/lib/postgresql/*/bin/pg_config | sort -V | tail -n 1)}

if [ -f "$source" ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  tar xf "$source" -C "$folder" --strip-components 1
  source=$folder
fi
cd "$source"

# PostgreSQL 15.20 has a function of this name of its own since; Citus 13.2.2 still brings one, which the compiler then refuses.
if "$pg_config" --version | grep -q ' 15\.'; then
  awk '/^static inline bool$/ { held = $0; next }
       held != "" && /^have_createdb_privilege\(void\)$/ { held = ""; skips = 1; next }
       held != "" { print held; held = "" }
       skips { if (/^}$/) skips = 0; next }
       { print }' src/include/pg_version_compat.h >src/include/pg_version_compat.new
  mv src/include/pg_version_compat.new src/include/pg_version_compat.h
fi

./configure --without-libcurl "PG_CONFIG=$pg_config" >configure.log 2>&1 || { tail -n 20 configure.log >&2; exit 1; }
# Without bitcode for the JIT compiler it takes half as long.
make -j "$(nproc)" with_llvm=no >make.log 2>&1 || { tail -n 20 make.log >&2; exit 1; }
make install with_llvm=no >install.log 2>&1 || { tail -n 20 install.log >&2; exit 1; }
echo "Citus is built for $("$pg_config" --version): npm run test:citus"
