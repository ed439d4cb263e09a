#!/bin/sh
# Makes PostgreSQL's programs present for the tests: they start throw-away servers of their own.
set -eu
if command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "PostgreSQL is not there: install postgresql-15 (apt-get install postgresql-15), or name a"
    echo "server in PERDURE_TEST_POSTGRES; without either its tests are skipped, and fail under CI"
    exit 0
fi
# No server is wanted that runs by itself.
mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] ||
    echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends postgresql-15
