//! Items that stand for others.

use serde_json::value::RawValue;

use super::read::{Nesting, read};
use super::{Item, ItemBody};
use crate::dialect::DialectError;
use crate::elements::{Stopped, each};
use crate::ir::{Fields, Json};
use crate::responses::node::{Node, invalid};
use crate::responses::opaque;

/// Opens a compaction item; only those that this service made can be.
pub(super) fn compaction(node: &mut Node) -> Result<ItemBody, DialectError> {
    let sealed: String = node.require("encrypted_content")?;
    let path = node.path("encrypted_content");
    let stranger = || {
        let why = "it was not made by this service, which therefore cannot read it";
        invalid(path.clone(), why)
    };
    let json = opaque::open(opaque::Kind::Compaction, &sealed).ok_or_else(stranger)?;
    let items: &RawValue = serde_json::from_str(&json).map_err(|_| stranger())?;
    let mut within = Vec::new();
    let end = each(items, |_, raw| {
        within.push(read(raw, path.clone(), Nesting::Within)?);
        Ok(())
    });
    match end {
        Ok(()) => Ok(ItemBody::Compaction(within)),
        Err(Stopped::Refused(refused)) => Err(refused),
        Err(Stopped::Json(_)) => Err(stranger()),
    }
}

/// A compaction item that stands for `items`; compactions among them are opened, so that one never holds another.
pub(in crate::responses) fn compaction_of(id: &str, items: &[Item]) -> Item {
    let mut flat: Vec<Item> = Vec::with_capacity(items.len());
    for item in items {
        match &item.body {
            ItemBody::Compaction(within) => flat.extend(within.iter().cloned()),
            _ => flat.push(item.clone()),
        }
    }
    let list: Vec<&Json> = flat.iter().map(|item| &item.json).collect();
    let list = serde_json::to_string(&list).expect("raw JSON serialises");
    let mut fields = Fields::new();
    put(&mut fields, "id", id);
    put(&mut fields, "type", "compaction");
    let sealed = opaque::seal(opaque::Kind::Compaction, &list);
    put(&mut fields, "encrypted_content", &sealed);
    Item {
        id: Some(id.to_owned()),
        json: Json::of(&fields).expect("raw JSON serialises"),
        body: ItemBody::Compaction(flat),
        path: String::new(),
    }
}

fn put<T: serde::Serialize + ?Sized>(fields: &mut Fields, key: &str, value: &T) {
    fields.put(key, value).expect("plain data serialises");
}
