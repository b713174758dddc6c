//! The contract of [`Store`], asked of the SQLite one. Whatever store comes next is asked the same.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get ends it")]

use std::ops::RangeInclusive;

use mysqlsvc_core::{
    RouteVersion, Store, StoreError, WallTime,
    intent::Change,
    journal::{Entry, Record},
};
use mysqlsvc_monitor::store::{SqliteStore, StateDirectory};

/// Somewhere that stores may be opened, one after the other or side by side.
trait Place {
    type Store: Store;

    /// Another store of the same cluster, that knows nothing of the ones before.
    fn open(&self) -> Self::Store;

    /// A store of another cluster.
    fn open_other(&self) -> Self::Store;
}

struct SqlitePlace {
    state: StateDirectory,
    _directory: tempfile::TempDir,
}

impl Place for SqlitePlace {
    type Store = SqliteStore;

    fn open(&self) -> SqliteStore {
        self.state.cluster(&"main".parse().unwrap())
    }

    fn open_other(&self) -> SqliteStore {
        self.state.cluster(&"other".parse().unwrap())
    }
}

fn sqlite() -> SqlitePlace {
    let directory = tempfile::tempdir().unwrap();
    SqlitePlace { state: StateDirectory::open(directory.path()).unwrap(), _directory: directory }
}

fn entries(numbers: RangeInclusive<u64>) -> Vec<Entry> {
    let entry = |number| {
        let change = Change::VersionsReserved { up_to: RouteVersion(number) };
        Entry { at: WallTime(number), record: Record::Changed { change, who: None } }
    };
    numbers.map(entry).collect()
}

async fn holds(store: &impl Store, numbers: RangeInclusive<u64>) {
    assert_eq!(store.load().await.unwrap().entries, entries(numbers));
}

async fn a_new_store_is_empty_and_keeps_its_incarnation(place: impl Place) {
    let first = place.open().load().await.unwrap();
    assert!(first.entries.is_empty());
    assert_eq!(place.open().load().await.unwrap(), first);
    assert_ne!(place.open_other().load().await.unwrap().incarnation, first.incarnation);
}

async fn appends_are_kept_in_order(place: impl Place) {
    let store = place.open();
    store.load().await.unwrap();
    store.append(&entries(1..=3)).await.unwrap();
    store.append(&[]).await.unwrap();
    store.append(&entries(4..=4)).await.unwrap();
    holds(&place.open(), 1..=4).await;
    holds(&store, 1..=4).await;
    store.append(&entries(5..=5)).await.unwrap();
    holds(&place.open(), 1..=5).await;
}

async fn clusters_do_not_mix(place: impl Place) {
    let (store, other) = (place.open(), place.open_other());
    store.load().await.unwrap();
    other.load().await.unwrap();
    store.append(&entries(1..=2)).await.unwrap();
    other.append(&entries(7..=7)).await.unwrap();
    holds(&store, 1..=2).await;
    holds(&other, 7..=7).await;
}

async fn nothing_is_appended_before_a_load(place: impl Place) {
    let store = place.open();
    assert!(store.append(&entries(1..=1)).await.is_err());
    assert!(store.load().await.unwrap().entries.is_empty());
}

async fn the_second_of_two_to_append_conflicts_until_it_has_loaded(place: impl Place) {
    let (one, two) = (place.open(), place.open());
    one.load().await.unwrap();
    two.load().await.unwrap();
    one.append(&entries(1..=1)).await.unwrap();
    let refused = two.append(&entries(9..=9)).await;
    assert!(matches!(&refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    assert!(two.append(&entries(9..=9)).await.is_err(), "it appended without having loaded");
    holds(&two, 1..=1).await;
    two.append(&entries(2..=2)).await.unwrap();
    holds(&place.open(), 1..=2).await;
    // Now the first one is behind.
    let refused = one.append(&entries(9..=9)).await;
    assert!(matches!(&refused, Err(StoreError::Conflict { .. })), "{refused:?}");
}

async fn an_append_that_nobody_waits_for_is_whole_or_absent(place: impl Place) {
    let store = place.open();
    store.load().await.unwrap();
    let unattended = entries(1..=2);
    {
        let mut append = store.append(&unattended);
        let _ = futures_util::poll!(&mut append);
    }
    let begun = u64::try_from(store.load().await.unwrap().entries.len()).unwrap();
    assert!(begun == 0 || begun == 2, "{begun} of 2 are there");
    store.append(&entries(begun + 1..=begun + 1)).await.unwrap();
    holds(&place.open(), 1..=begun + 1).await;
}

macro_rules! asked_of_sqlite {
    ($($clause:ident),+ $(,)?) => {
        mod sqlite_store {
            $(#[tokio::test]
            async fn $clause() {
                super::$clause(super::sqlite()).await;
            })+
        }
    };
}

asked_of_sqlite!(
    a_new_store_is_empty_and_keeps_its_incarnation,
    appends_are_kept_in_order,
    clusters_do_not_mix,
    nothing_is_appended_before_a_load,
    the_second_of_two_to_append_conflicts_until_it_has_loaded,
    an_append_that_nobody_waits_for_is_whole_or_absent,
);
