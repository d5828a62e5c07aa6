//! Numbers for kinds and statuses. They are in databases and stay.

use crate::records::error::Trouble;
use crate::records::{Kind, Status, StoreError};

/// A status as the database has it.
pub(in crate::records) type CodedStatus = Option<i64>;

const KINDS: [Kind; 2] = [Kind::Response, Kind::Conversation];
const STATUSES: [Status; 6] = [
    Status::Queued,
    Status::InProgress,
    Status::Completed,
    Status::Incomplete,
    Status::Failed,
    Status::Cancelled,
];

pub(in crate::records) fn kind_code(kind: Kind) -> i64 {
    match kind {
        Kind::Response => 0,
        Kind::Conversation => 1,
    }
}

pub(in crate::records) fn status_code(status: Status) -> i64 {
    match status {
        Status::Queued => 0,
        Status::InProgress => 1,
        Status::Completed => 2,
        Status::Incomplete => 3,
        Status::Failed => 4,
        Status::Cancelled => 5,
    }
}

pub(in crate::records) fn kind_of(code: i64) -> Result<Kind, StoreError> {
    let found = KINDS.into_iter().find(|kind| kind_code(*kind) == code);
    Ok(found.ok_or(Trouble::Nonsense(code))?)
}

pub(in crate::records) fn status_of(code: CodedStatus) -> Result<Option<Status>, StoreError> {
    let Some(code) = code else {
        return Ok(None);
    };
    let found = STATUSES
        .into_iter()
        .find(|status| status_code(*status) == code);
    Ok(Some(found.ok_or(Trouble::Nonsense(code))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_leads_back_and_tells_the_end() {
        for status in STATUSES {
            let code = status_code(status);
            assert_eq!(status_of(Some(code)).unwrap(), Some(status));
            assert_eq!(status.ended(), code >= 2, "statements rely on this");
        }
        assert!(kind_of(2).is_err());
        assert!(status_of(Some(6)).is_err());
    }
}
