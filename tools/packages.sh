#!/bin/sh
# Makes present what the tests need of Debian's packages: PostgreSQL's programs and a pooler, for
# throw-away servers, and what makes hosts with a network of their own.
set -eu
PATH="$PATH:/usr/sbin"
wanted=
command -v pgbouncer >/dev/null || wanted=pgbouncer
command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ||
    wanted="$wanted postgresql-15"
command -v nft >/dev/null || wanted="$wanted nftables"
command -v ip >/dev/null || wanted="$wanted iproute2"
[ -n "$wanted" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "not there: $wanted. Install it (apt-get install $wanted), or name a PostgreSQL server"
    echo "in PERDURE_TEST_POSTGRES; without them tests are skipped, and fail under CI"
    exit 0
fi
# No server is wanted that runs by itself.
mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] ||
    echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $wanted
