"""What a distributed engine says to the statements that spread tables, in a PostgreSQL that keeps them where they are.

It refuses what was seen refused by Citus 13.2: foreign keys that lead out of what is spread, keys without the column by
which it is spread, and triggers unless they are asked for.
"""

from __future__ import annotations

from tests.support.postgres import _execute

FAKE = """
CREATE TABLE pg_dist_partition (number INT GENERATED ALWAYS AS IDENTITY, logicalrelid REGCLASS, kind TEXT, beside TEXT);

CREATE FUNCTION look_at_keys_and_triggers(name REGCLASS) RETURNS void LANGUAGE plpgsql AS $$
DECLARE found TEXT;
BEGIN
    SELECT conname INTO found FROM pg_constraint WHERE contype = 'f' AND (conrelid = name OR confrelid = name);
    IF found IS NOT NULL THEN RAISE EXCEPTION 'the foreign key % is in the way', found; END IF;
    SELECT tgname INTO found FROM pg_trigger WHERE tgrelid = name AND NOT tgisinternal;
    IF found IS NOT NULL AND current_setting('citus.enable_unsafe_triggers', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION 'triggers are not supported: %', found;
    END IF;
    SELECT tgname INTO found FROM pg_trigger WHERE tgrelid = name AND tgnewtable IS NOT NULL;
    IF found IS NOT NULL THEN RAISE EXCEPTION 'executor could not find named tuplestore of %', found; END IF;
END $$;

CREATE FUNCTION create_reference_table(name REGCLASS) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM look_at_keys_and_triggers(name);
    INSERT INTO pg_dist_partition (logicalrelid, kind) VALUES (name, 'reference');
END $$;

CREATE FUNCTION create_distributed_table(name REGCLASS, by TEXT, colocate_with TEXT) RETURNS void LANGUAGE plpgsql AS $$
DECLARE found TEXT;
BEGIN
    PERFORM look_at_keys_and_triggers(name);
    SELECT i.indexrelid::regclass::text INTO found FROM pg_index i
     WHERE i.indrelid = name AND i.indisunique AND NOT EXISTS (
        SELECT 1 FROM pg_attribute a WHERE a.attrelid = name AND a.attname = by AND a.attnum = ANY (i.indkey));
    IF found IS NOT NULL THEN RAISE EXCEPTION 'the key % has no %', found, by; END IF;
    IF colocate_with <> 'none' AND colocate_with::regclass NOT IN (SELECT logicalrelid FROM pg_dist_partition) THEN
        RAISE EXCEPTION '% is not spread yet', colocate_with;
    END IF;
    INSERT INTO pg_dist_partition (logicalrelid, kind, beside) VALUES (name, by, colocate_with);
END $$;
"""


def become_citus(url: str) -> None:
    """Let the database at this address take part in being spread, from now on."""
    _execute(url, FAKE)
