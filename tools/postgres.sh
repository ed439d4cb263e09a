#!/bin/sh
# Makes PostgreSQL's programs, and a pooler, present for the tests: they start throw-away servers.
set -eu
PATH="$PATH:/usr/sbin"
wanted=
command -v pgbouncer >/dev/null || wanted=pgbouncer
command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ||
    wanted="$wanted postgresql-15"
[ -n "$wanted" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "not there: $wanted. Install it (apt-get install $wanted), or name a server in"
    echo "PERDURE_TEST_POSTGRES; without it tests are skipped, and fail under CI"
    exit 0
fi
# No server is wanted that runs by itself.
mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] ||
    echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $wanted
