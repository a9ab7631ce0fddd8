#!/bin/sh
# Makes the database and the role that Sluice uses; the official image runs this once, in an empty data directory.
# The role is no superuser, because row-level security does not bind one.
set -eu

psql --no-psqlrc --set=ON_ERROR_STOP=1 --set=password="$SLUICE_DB_PASSWORD" \
    --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
CREATE ROLE sluice LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE sluice OWNER sluice ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE sluice FROM PUBLIC;
SQL
