#!/usr/bin/env bash
# Starts the stack, waits until it is healthy, and says how to use it. A second call brings changes into effect.
set -euo pipefail
cd "$(dirname "$0")"

die() {
  echo "$*" >&2
  exit 2
}
docker compose version > /dev/null 2>&1 ||
  die "the stack needs Docker with Compose 2.24 or later: https://docs.docker.com/engine/install/ (make stack-native needs none)"
docker info > /dev/null 2>&1 || die "Docker does not answer: start it, or join its group (usermod -aG docker \$USER)"
[ -f .env ] || ./init-env.sh
./check-env.sh

if ! docker compose up --detach --build --wait --wait-timeout 600; then
  docker compose ps --all >&2
  docker compose logs --tail 5 >&2
  die "the stack is not healthy: see the lines above, and docker compose logs <service> (in infra/)"
fi

value() { sed -n "s/^$1=//p" .env; }
site=$(value NEWSCLF_SITE) port=$(value NEWSCLF_PORT) tls=$(value NEWSCLF_TLS)
address=https://${site:-localhost}
[ "${port:-443}" = 443 ] || address=$address:$port
echo
echo "# $address is up; log in as admin with NEWSCLF_ADMIN_PASSWORD of infra/.env. A client on this machine:"
echo "export MLFLOW_TRACKING_URI=$address"
if [ "${tls:-internal}" = internal ]; then
  docker compose cp proxy:/data/caddy/pki/authorities/local/root.crt ca.crt > /dev/null 2>&1 ||
    die "the certificate of the proxy's authority is not there yet: call again"
  chmod 644 ca.crt
  echo "export MLFLOW_TRACKING_SERVER_CERT_PATH=$PWD/ca.crt"
fi
echo "export MLFLOW_TRACKING_USERNAME=admin MLFLOW_TRACKING_PASSWORD=\"\$(sed -n s/^NEWSCLF_ADMIN_PASSWORD=//p $PWD/.env)\""
