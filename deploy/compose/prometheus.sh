#!/bin/sh
# Prometheus reads the token that /metrics asks for from a file, so that its configuration holds no secret.
set -eu
umask 077
printf %s "$SLUICE_METRICS_TOKEN" > /run/sluice/metrics-token
unset SLUICE_METRICS_TOKEN
exec /bin/prometheus --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/prometheus --storage.tsdb.retention.time=15d
