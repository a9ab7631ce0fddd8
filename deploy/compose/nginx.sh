#!/bin/sh
# Adapts the shipped nginx configuration to several servers in containers; the official image runs this at its start.
#
# SLUICE_NAME     the name in place of sluice.example.com
# SLUICE_SERVERS  address:port of each web process, separated by spaces
# SHIPPED         the configuration to read, deploy/nginx/sluice.conf
# ADAPTED         where to write
set -eu

# nginx processes share what they know of a server: what one finds down, all leave alone.
servers="    zone sluice_servers 64k;\\n"
for each in $SLUICE_SERVERS; do
    # One failed connect and it is left alone for 2 s, which is how a server that drains or starts is passed by.
    servers="$servers    server $each max_fails=1 fail_timeout=2s;\\n"
done

# With several servers a connection that one refuses goes to the next. nginx never repeats a POST that it has
# begun to send, so no event arrives twice by this.
sed \
    -e "s/sluice\.example\.com/$SLUICE_NAME/g" \
    -e "s|^    server 127\.0\.0\.1:8000;|${servers%\\n}|" \
    -e "s|proxy_next_upstream off;|proxy_next_upstream error;|" \
    -e "s|/var/log/nginx/sluice\.error\.log|/dev/stderr|" \
    -e "s|/var/log/nginx/sluice\.log|/dev/stdout|" \
    "$SHIPPED" > "$ADAPTED"
