//! What the databases have in common: tables, statements, and what the rows mean.
//!
//! Parameters are written as PostgreSQL has them. Those of statements about one record begin with `$1` its owner, `$2` its
//! id and `$3` the time.

mod codes;
mod rows;

pub(super) use codes::{CodedStatus, kind_code, kind_of, status_code, status_of};
pub(super) use rows::{HistoryRow, PageRow, history, page, refused, unnoted};

/// The version of [`TABLES`].
pub(super) const VERSION: i64 = 1;

/// Rows of one batch of deletions.
pub(super) const BATCH: i64 = 500;

/// `{number}` stands for the database's type of numbers that it gives itself. `status` below 2 has not ended. `expires_at`
/// is also the order of use; its index has all that measuring and making room read, so that neither reads the records.
/// `next_place` belongs to the row of the record, so that its lock keeps appends apart.
pub(super) const TABLES: &str = "
CREATE TABLE gateway_records (
  number {number},
  owner TEXT NOT NULL,
  id TEXT NOT NULL,
  kind BIGINT NOT NULL,
  status BIGINT,
  previous TEXT,
  conversation TEXT,
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  next_place BIGINT NOT NULL,
  UNIQUE (owner, id)
);
CREATE INDEX gateway_records_use ON gateway_records (expires_at, number, bytes);
CREATE TABLE gateway_items (
  record BIGINT NOT NULL REFERENCES gateway_records (number) ON DELETE CASCADE,
  place BIGINT NOT NULL,
  part BIGINT NOT NULL,
  id TEXT NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (record, place),
  UNIQUE (record, id)
);
CREATE INDEX gateway_items_id ON gateway_items (id);
";

/// [`TABLES`]' part of what came in.
pub(super) const INPUT: i64 = 0;
/// [`TABLES`]' part of what the model said.
pub(super) const OUTPUT: i64 = 1;

/// `$3` kind, `$4` status, `$5` previous, `$6` conversation, `$7` body, `$8` creation, `$9` end, `$10` bytes, `$11` items.
pub(super) const INSERT: &str = "
INSERT INTO gateway_records
  (owner, id, kind, status, previous, conversation, body, created_at, expires_at, bytes, next_place)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (owner, id) DO NOTHING
RETURNING number";

pub(super) const HEAD: &str = "
SELECT kind, status, created_at, previous, conversation, body
FROM gateway_records
WHERE owner = $1 AND id = $2 AND expires_at > $3";

/// `$4` status, `$5` body, `$6` bytes of new items, `$7` end, `$8` number of new items, `$9` most bytes.
pub(super) const UPDATE: &str = "
UPDATE gateway_records
SET status = COALESCE($4, status),
  body = COALESCE($5, body),
  bytes = bytes + $6 + COALESCE(octet_length($5) - octet_length(body), 0),
  expires_at = $7,
  next_place = next_place + $8
WHERE owner = $1 AND id = $2 AND expires_at > $3
  AND ($4 IS NULL OR (kind = 0 AND status < 2))
  AND bytes + $6 + COALESCE(octet_length($5) - octet_length(body), 0) <= $9
RETURNING number, next_place - $8 AS place";

pub(super) const DELETE: &str = "
DELETE FROM gateway_records
WHERE owner = $1 AND id = $2 AND expires_at > $3
RETURNING bytes";

/// `$4` the item to begin behind, or none; `$5` most rows.
pub(super) const LIST_UP: &str = "
SELECT a.place, i.id, i.json
FROM gateway_records r
LEFT JOIN gateway_items a ON a.record = r.number AND a.part = 0 AND a.id = $4
LEFT JOIN gateway_items i ON i.record = r.number AND i.part = 0 AND ($4 IS NULL OR i.place > a.place)
WHERE r.owner = $1 AND r.id = $2 AND r.expires_at > $3
ORDER BY i.place LIMIT $5";

/// [`LIST_UP`] the other way.
pub(super) const LIST_DOWN: &str = "
SELECT a.place, i.id, i.json
FROM gateway_records r
LEFT JOIN gateway_items a ON a.record = r.number AND a.part = 0 AND a.id = $4
LEFT JOIN gateway_items i ON i.record = r.number AND i.part = 0 AND ($4 IS NULL OR i.place < a.place)
WHERE r.owner = $1 AND r.id = $2 AND r.expires_at > $3
ORDER BY i.place DESC LIMIT $5";

/// `$4` the item.
pub(super) const ITEM: &str = "
SELECT i.json
FROM gateway_records r
LEFT JOIN gateway_items i ON i.record = r.number AND i.part = 0 AND i.id = $4
WHERE r.owner = $1 AND r.id = $2 AND r.expires_at > $3";

/// `$4` most records, `$5` most bytes. Of a line that is too long there are the records without their items.
pub(super) const HISTORY: &str = "
WITH RECURSIVE line (number, previous, depth, total) AS (
  SELECT number, previous, CAST(1 AS BIGINT), bytes
  FROM gateway_records
  WHERE owner = $1 AND id = $2 AND expires_at > $3
  UNION ALL
  SELECT r.number, r.previous, line.depth + 1, line.total + r.bytes
  FROM line
  JOIN gateway_records r ON r.owner = $1 AND r.id = line.previous AND r.expires_at > $3
  WHERE line.depth < $4 AND line.total <= $5
)
SELECT line.depth, line.total, line.previous, line.number, r.expires_at, r.kind, r.status, i.id, i.json
FROM line
JOIN gateway_records r ON r.number = line.number
LEFT JOIN gateway_items i ON i.record = line.number AND (SELECT MAX(total) FROM line) <= $5
ORDER BY line.depth DESC, i.place";

pub(super) const MEASURE: &str = "
SELECT COUNT(*), CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM gateway_records";

/// `$1` the time, `$2` most rows.
pub(super) const PURGE: &str = "
DELETE FROM gateway_records WHERE number IN (
  SELECT number FROM gateway_records WHERE expires_at <= $1 ORDER BY expires_at, number LIMIT $2
)";

/// `$1` records and `$2` bytes that are too many, `$3` most rows. Tells the bytes of each that went.
pub(super) const EVICT: &str = "
DELETE FROM gateway_records WHERE number IN (
  SELECT number FROM (
    SELECT number, bytes,
      ROW_NUMBER() OVER (ORDER BY expires_at, number) AS nth,
      SUM(bytes) OVER (ORDER BY expires_at, number) AS upto
    FROM (
      SELECT number, bytes, expires_at FROM gateway_records ORDER BY expires_at, number LIMIT $3
    ) AS oldest
  ) AS counted
  WHERE nth <= $1 OR upto - bytes < $2
)
RETURNING bytes";
