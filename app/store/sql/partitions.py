"""Executions, payloads and steps by the week in which the execution came.

Ids begin with the time, so a range of ids is a range of time, and what is past its
retention can go as a whole table. What fits no partition goes to the default one:
nothing is ever refused for want of a partition.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from app.domain.times import to_ms

PARENTS = ("executions", "payloads", "steps")
AHEAD = timedelta(weeks=4)
# These run as the tables' owner, whoever calls them; one at a time, others pass.
# By its own name no tenant reaches a row of a partition, only who may see all: a dump.
FUNCTIONS = (
    """
CREATE OR REPLACE FUNCTION sluice_shut(part text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', part);
    IF NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = part::regclass) THEN
        EXECUTE format('CREATE POLICY of_anybody ON %I USING '
            '(current_setting(''app.tenant'', true) = ''*'')', part);
    END IF;
END $$
""",
    """
CREATE OR REPLACE FUNCTION sluice_make_partitions(since bigint, until bigint)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    week CONSTANT bigint := 7 * 24 * 3600 * 1000;
    begins bigint := since / week * week;
    parent text; part text; made integer := 0;
BEGIN
    IF NOT pg_try_advisory_xact_lock(5374415) THEN RETURN 0; END IF;
    WHILE begins <= until LOOP
        FOREACH parent IN ARRAY ARRAY['executions', 'payloads', 'steps'] LOOP
            part := parent || to_char(
                to_timestamp(begins / 1000) AT TIME ZONE 'UTC', '"_"YYYYMMDD');
            CONTINUE WHEN to_regclass(part) IS NOT NULL;
            BEGIN
                EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, parent);
                PERFORM sluice_shut(part);
                EXECUTE format(
                    'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                    parent, part,
                    'exec_' || lpad(to_hex(begins), 12, '0'),
                    'exec_' || lpad(to_hex(begins + week), 12, '0'));
                made := made + 1;
            EXCEPTION WHEN check_violation THEN
                RAISE WARNING 'rows of % stay in the default partition', part;
            END;
        END LOOP;
        begins := begins + week;
    END LOOP;
    RETURN made;
END $$
""",
)
MAKE = text("SELECT sluice_make_partitions(:since, :until)")


def build(connection: Connection) -> None:
    """Make what is there from the beginning: the default ones, and who makes more."""
    for function in FUNCTIONS:
        connection.exec_driver_sql(function.replace("%", "%%"))
    for parent in PARENTS:
        part = f"{parent}_default"
        connection.exec_driver_sql(
            f"CREATE TABLE IF NOT EXISTS {part} PARTITION OF {parent} DEFAULT"
        )
        connection.execute(text("SELECT sluice_shut(:part)"), {"part": part})


def make(connection: Connection, since: datetime, until: datetime) -> int:
    """Make the partitions of a time that are missing, and return how many."""
    given = {"since": to_ms(since), "until": to_ms(until)}
    return int(connection.execute(MAKE, given).scalar_one())
