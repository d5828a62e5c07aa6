//! The store in a database server.

use std::cell::Cell;
use std::time::Duration;

use futures_util::future::join_all;
use gateway_govern::records::{Limits, PostgresOptions, PostgresStore, Store, StoreError};
use tokio_postgres::{Client, NoTls};

use crate::conformance::{self, ANN, conversation, item, response};
use crate::server::Server;

/// One server for all: it takes longer to start than they do.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn behaves_as_all_stores_do_and_survives_the_server() {
    let mut server = Server::start();
    let address = server.address();
    let admin = admin(&address).await;
    let made = Cell::new(0);
    conformance::all(async |limits: Limits| {
        made.set(made.get() + 1);
        let schema = schema(&admin, &address, &format!("s{}", made.get())).await;
        Box::new(PostgresStore::open(&schema, limits).await.unwrap()) as Box<dyn Store>
    })
    .await;
    shares_a_database(&schema(&admin, &address, "shared").await).await;
    much_goes_in_batches(&schema(&admin, &address, "much").await).await;
    refuses_later_tables(&admin, &schema(&admin, &address, "later").await).await;
    a_slow_statement_ends(&admin, &schema(&admin, &address, "slow").await).await;
    let survivor = schema(&admin, &address, "survivor").await;
    drop(admin);
    survives(&mut server, &survivor).await;
}

async fn admin(address: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(address, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A schema is as good as a database of its own.
async fn schema(admin: &Client, address: &str, name: &str) -> PostgresOptions {
    let create = format!("CREATE SCHEMA {name}");
    admin.batch_execute(&create).await.unwrap();
    let address = format!("{address}?options=-c%20search_path%3D{name}");
    PostgresOptions::parse(&address).unwrap()
}

async fn open(options: &PostgresOptions) -> PostgresStore {
    PostgresStore::open(options, Limits::database())
        .await
        .unwrap()
}

async fn shares_a_database(options: &PostgresOptions) {
    // All of them find no tables.
    let mut stores = join_all((0..8).map(|_| open(options))).await;
    let (left, right) = (stores.swap_remove(0), stores.swap_remove(1));
    left.put(ANN, conversation("c", &["c_0"])).await.unwrap();
    for round in 0..20 {
        let (a, b) = (format!("a{round}"), format!("b{round}"));
        let (one, other) = tokio::join!(
            left.append(ANN, "c", vec![item(&a), item("same")]),
            right.append(ANN, "c", vec![item("same"), item(&b)])
        );
        one.unwrap();
        other.unwrap();
    }
    let seen = left.history(ANN, "c").await.unwrap();
    assert_eq!(seen, right.history(ANN, "c").await.unwrap());
    assert_eq!(seen.items.len(), 42);
}

async fn much_goes_in_batches(options: &PostgresOptions) {
    let tight = async || {
        let store = PostgresStore::open(options, conformance::tight()).await;
        Box::new(store.unwrap()) as Box<dyn Store>
    };
    conformance::lets_go_in_batches(&open(options).await, tight).await;
}

async fn refuses_later_tables(admin: &Client, options: &PostgresOptions) {
    drop(open(options).await);
    let later = "UPDATE later.gateway_records_version SET version = 99";
    admin.batch_execute(later).await.unwrap();
    let refused = PostgresStore::open(options, Limits::database()).await;
    assert!(matches!(refused, Err(StoreError::Schema { found: 99, .. })));
}

async fn a_slow_statement_ends(admin: &Client, options: &PostgresOptions) {
    let options = options.clone().with_timeout(Duration::from_millis(300));
    let store = open(&options).await;
    admin
        .batch_execute("BEGIN; LOCK TABLE slow.gateway_records")
        .await
        .unwrap();
    let waiting = store.put(ANN, response("r1")).await;
    assert!(matches!(waiting, Err(StoreError::Unavailable(_))));
    admin.batch_execute("ROLLBACK").await.unwrap();
    store.put(ANN, response("r1")).await.unwrap();
}

async fn survives(server: &mut Server, options: &PostgresOptions) {
    let store = open(&options.clone().with_connections(2)).await;
    store.put(ANN, response("r1")).await.unwrap();
    store.head(ANN, "r1").await.unwrap();
    server.kill();
    for _ in 0..3 {
        let answer = store.head(ANN, "r1").await;
        assert!(matches!(answer, Err(StoreError::Unavailable(_))));
    }
    let refused = PostgresStore::open(options, Limits::database()).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    server.resume();
    for _ in 0..3 {
        assert!(store.head(ANN, "r1").await.is_ok());
    }
    store.put(ANN, response("r2")).await.unwrap();
    let again = open(options).await;
    assert_eq!(again.history(ANN, "r1").await.unwrap().items.len(), 2);
    assert_eq!(again.usage().records, 2);
}
