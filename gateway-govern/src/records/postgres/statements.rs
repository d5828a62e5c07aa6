//! Statements that are PostgreSQL's alone. Each changes a record and its items in one.

use std::sync::LazyLock;

use crate::records::record::ITEM_OVERHEAD;
use crate::records::sql;

/// [`sql::INSERT`]; `$12` number of input items, `$13` ids and `$14` JSON of all items.
pub(super) static PUT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "WITH r AS ({}), i AS (
  INSERT INTO gateway_items (record, place, part, id, json)
  SELECT r.number, t.nth - 1, CASE WHEN t.nth <= $12 THEN 0 ELSE 1 END, t.id, t.json
  FROM r, unnest($13, $14) WITH ORDINALITY AS t (id, json, nth)
)
SELECT number FROM r",
        sql::INSERT
    )
});

/// [`sql::UPDATE`]; `$10` ids and `$11` JSON of new output.
pub(super) static UPDATE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "WITH r AS ({}), i AS (
  INSERT INTO gateway_items (record, place, part, id, json)
  SELECT r.number, r.place + t.nth - 1, 1, t.id, t.json
  FROM r, unnest($10, $11) WITH ORDINALITY AS t (id, json, nth)
  ON CONFLICT (record, id) DO NOTHING
)
SELECT number FROM r",
        sql::UPDATE
    )
});

/// `$4` ids and `$5` JSON, `$6` end, `$7` most bytes. Two that add the same item at the same time count it twice and keep
/// it once.
pub(super) static APPEND: LazyLock<String> = LazyLock::new(|| {
    format!(
        "WITH fresh AS (
  SELECT t.id, t.json, t.nth
  FROM unnest($4, $5) WITH ORDINALITY AS t (id, json, nth)
  WHERE NOT EXISTS (
    SELECT 1 FROM gateway_records r JOIN gateway_items i ON i.record = r.number
    WHERE r.owner = $1 AND r.id = $2 AND i.id = t.id
  )
), cost AS (
  SELECT CAST(COALESCE(SUM({ITEM_OVERHEAD} + octet_length(id) + octet_length(json)), 0) AS BIGINT) AS added
  FROM fresh
), r AS (
  UPDATE gateway_records
  SET bytes = bytes + cost.added, expires_at = $6, next_place = next_place + cardinality($4)
  FROM cost
  WHERE owner = $1 AND id = $2 AND expires_at > $3 AND kind = 1 AND bytes + cost.added <= $7
  RETURNING number, next_place - cardinality($4) AS place, cost.added
), i AS (
  INSERT INTO gateway_items (record, place, part, id, json)
  SELECT r.number, r.place + fresh.nth - 1, 0, fresh.id, fresh.json FROM r, fresh
  ON CONFLICT (record, id) DO NOTHING
)
SELECT added FROM r"
    )
});

/// `$4` the item, `$5` end.
pub(super) static REMOVE_ITEM: LazyLock<String> = LazyLock::new(|| {
    format!(
        "WITH gone AS (
  DELETE FROM gateway_items i USING gateway_records r
  WHERE r.owner = $1 AND r.id = $2 AND r.expires_at > $3 AND r.kind = 1
    AND i.record = r.number AND i.id = $4
  RETURNING i.record, {ITEM_OVERHEAD} + octet_length(i.id) + octet_length(i.json) AS freed
)
UPDATE gateway_records r
SET bytes = r.bytes - gone.freed, expires_at = $5
FROM gone WHERE r.number = gone.record
RETURNING CAST(gone.freed AS BIGINT)"
    )
});

/// `$1` end, `$2` numbers. A record that somebody else changes right now is noted by that.
pub(super) const NOTE_USE: &str = "
UPDATE gateway_records SET expires_at = GREATEST(expires_at, $1) WHERE number IN (
  SELECT number FROM gateway_records WHERE number = ANY($2) FOR UPDATE SKIP LOCKED
)";

/// `$2` ids.
pub(super) const FIND: &str = "
SELECT DISTINCT ON (i.id) i.id, i.json
FROM gateway_items i
JOIN gateway_records r ON r.number = i.record
WHERE r.owner = $1 AND i.id = ANY($2) AND r.expires_at > $3
ORDER BY i.id, i.record DESC";
