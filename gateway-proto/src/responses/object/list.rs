//! Listings of items.

use crate::dialect::DialectError;
use crate::json::push_opt_str;
use crate::responses::items::Item;
use crate::responses::node::{invalid, shown};

/// Which way a listing goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Oldest first.
    Ascending,
    /// Newest first.
    #[default]
    Descending,
}

/// Which items of a listing are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// Begin behind the item with this id.
    pub after: Option<String>,
    /// At most so many, 1 to 100.
    pub limit: usize,
    /// Which way.
    pub order: Order,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self {
            after: None,
            limit: 20,
            order: Order::default(),
        }
    }
}

impl ListQuery {
    /// Reads the decoded pairs of a query string; pairs of other names say nothing here.
    ///
    /// # Errors
    /// For a limit that is no number of 1 to 100, and for another order than `asc` and `desc`.
    pub fn from_pairs<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, DialectError> {
        let mut query = Self::default();
        for (key, value) in pairs {
            match key {
                "after" => query.after = Some(value.to_owned()),
                "limit" => query.limit = limit(value)?,
                "order" => query.order = order(value)?,
                _ => {}
            }
        }
        Ok(query)
    }
}

fn limit(value: &str) -> Result<usize, DialectError> {
    let number = value.parse().ok();
    number
        .filter(|number| (1..=100).contains(number))
        .ok_or_else(|| invalid("limit".to_owned(), "it must be a number of 1 to 100"))
}

fn order(value: &str) -> Result<Order, DialectError> {
    match value {
        "asc" => Ok(Order::Ascending),
        "desc" => Ok(Order::Descending),
        _ => {
            let why = format!("'{}' is neither 'asc' nor 'desc'", shown(value));
            Err(invalid("order".to_owned(), why))
        }
    }
}

/// A part of a listing.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<'a> {
    /// Its items, in the order asked for.
    pub items: Vec<&'a Item>,
    /// Whether more follow.
    pub has_more: bool,
}

/// The part of `items`, oldest first, that `query` asks for.
///
/// # Errors
/// For an `after` that is none of them.
pub fn page<'a>(items: &'a [Item], query: &ListQuery) -> Result<Page<'a>, DialectError> {
    let mut ordered: Vec<&Item> = items.iter().collect();
    if query.order == Order::Descending {
        ordered.reverse();
    }
    let start = match &query.after {
        None => 0,
        Some(id) => {
            let found = ordered.iter().position(|item| item.id() == Some(id));
            let found = found.ok_or_else(|| {
                let why = format!("there is no item with the id '{}'", shown(id));
                invalid("after".to_owned(), why)
            })?;
            found + 1
        }
    };
    let rest = &ordered[start..];
    let limit = query.limit.min(rest.len());
    Ok(Page {
        items: rest[..limit].to_vec(),
        has_more: limit < rest.len(),
    })
}

impl Page<'_> {
    /// The listing as JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = b"{\"object\":\"list\",\"data\":[".to_vec();
        for (number, item) in self.items.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            out.extend_from_slice(item.json().as_bytes());
        }
        out.extend_from_slice(b"],\"first_id\":");
        push_opt_str(&mut out, self.items.first().and_then(|item| item.id()));
        out.extend_from_slice(b",\"last_id\":");
        push_opt_str(&mut out, self.items.last().and_then(|item| item.id()));
        out.extend_from_slice(b",\"has_more\":");
        out.extend_from_slice(if self.has_more { b"true}" } else { b"false}" });
        out
    }
}
