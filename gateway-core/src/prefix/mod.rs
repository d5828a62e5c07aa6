//! Placeholder until the index lands.
#![allow(missing_docs, missing_debug_implementations)]
use crate::{BlockHash,EndpointId};
#[derive(Debug)] pub struct PrefixIndex; #[derive(Debug,Clone,Copy,Default)] pub struct PrefixIndexConfig{pub budget_bytes:usize} #[derive(Debug,Default)] pub struct PrefixMatches;
impl PrefixIndex{ pub fn new(_:PrefixIndexConfig)->Self{Self} pub fn clear(&self,_:EndpointId){} pub fn lookup(&self,_:&[BlockHash],_:&mut PrefixMatches){} }
impl PrefixMatches{pub fn blocks(&self,_:EndpointId)->u32{0} pub fn clear(&mut self){}}
