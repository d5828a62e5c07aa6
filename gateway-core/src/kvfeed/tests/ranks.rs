//! Several ranks as one endpoint.

use super::rig::{Told, config, keys, removed, stored};
use crate::EndpointId;
use crate::kvfeed::{EndpointFeed, FeedStep, FeedTrust, KvBatch};

#[test]
fn a_block_stays_until_the_last_rank_drops_it() {
    let mut feed = EndpointFeed::new(EndpointId(0), 2, &config(16));
    let mut told = Told::default();
    let (long, short): (Vec<u32>, Vec<u32>) = ((0..48).collect(), (0..32).collect());
    let _ = feed.live(0, 0, &stored(&short, 16, 0.0), 0.0, &mut told);
    assert_eq!(
        feed.trust(),
        FeedTrust::Fallback,
        "one rank has said nothing yet"
    );
    let _ = feed.live(1, 0, &stored(&long, 16, 0.0), 0.0, &mut told);
    assert_eq!(feed.trust(), FeedTrust::Exact);
    assert_eq!(told.device(), keys(&long, 16));
    let _ = feed.live(1, 1, &removed(&short, 0.0), 0.0, &mut told);
    assert_eq!(told.device(), keys(&long, 16));
    let _ = feed.live(0, 1, &removed(&short, 0.0), 0.0, &mut told);
    assert_eq!(told.device().len(), 2);
    let mut clear = KvBatch::new();
    clear.cleared();
    let _ = feed.live(1, 2, &clear, 0.0, &mut told);
    assert_eq!(told.device(), keys(&long[..16], 16));
    assert_eq!(told.losses, 0);
    feed.reset(0, &mut told);
    assert_eq!((told.device().len(), told.clears, told.losses), (0, 0, 1));
}

#[test]
fn ranks_that_do_not_exist_are_ignored() {
    let mut feed = EndpointFeed::new(EndpointId(0), 0, &config(16));
    let mut told = Told::default();
    assert_eq!(feed.ranks(), 1);
    let step = feed.live(1, 0, &stored(&[1; 16], 16, 0.0), 0.0, &mut told);
    assert_eq!((step, feed.stats().batches), (FeedStep::Ignored, 0));
    assert_eq!(
        EndpointFeed::new(EndpointId(0), 500, &config(16)).ranks(),
        64
    );
}
