#!/bin/sh
# Installs RabbitMQ's package for the tests, which run private brokers from it; again, nothing happens.
# Exits 0 also where it may not install: the tests that need a broker then skip, with the reason.
set -eu

server=/usr/lib/rabbitmq/bin/rabbitmq-server
policy=/usr/sbin/policy-rc.d

say() { echo "install-rabbitmq: $*"; }

if [ -x "$server" ]; then
    say "already installed"
    exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    say "skipped: needs root and apt-get. Ask an administrator for: apt-get install --no-install-recommends rabbitmq-server"
    exit 0
fi

# The package would start a broker of its own on the default ports; this policy forbids it, for this installation only.
ours=no
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    ours=yes
fi
forget_policy() { if [ "$ours" = yes ]; then rm -f "$policy"; fi; }
trap forget_policy EXIT

say "apt-get install --no-install-recommends rabbitmq-server"
export DEBIAN_FRONTEND=noninteractive
if apt-get update -qq && apt-get install -y -qq --no-install-recommends rabbitmq-server >/dev/null; then
    say "installed; no service was started"
else
    say "skipped: apt-get could not install it (see above)"
fi
