//! MySQL, with tags.

use std::fmt::Write as _;

use mysql_async::{Conn, prelude::Queryable as _};
use mysqlsvc_core::GtidSet;
use mysqlsvc_sandbox::{Flavor, Runtime};
use proptest::{prelude::*, sample::Index};

use crate::{mysql_set, root, samples, server};

/// The largest transaction number.
const LARGEST: u64 = (1 << 63) - 2;
/// How many pairs of sets one query asks about.
const BATCH: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_mysql_agrees() {
    let sandbox = server(Flavor::MySql, Runtime::Container).await;
    let mut connection = root(&sandbox).await;
    sets_are_printed_subtracted_and_compared_as_we_do(&mut connection).await;
    every_text_that_we_take_is_taken(&mut connection).await;
    the_last_number_is_the_last(&mut connection).await;
    empty_transactions_make_an_errant_set_executed(&mut connection).await;
}

/// Items as somebody may type them: in any order, overlapping, touching, in capitals.
fn typed() -> impl Strategy<Value = String> {
    let first = prop_oneof![4 => 1_u64..20, 1 => LARGEST - 9..=LARGEST];
    let tag =
        proptest::sample::select(vec!["", ":b1", ":b_", ":_", ":a_tag_of_just_32_letters_0123456"]);
    let item = (1_u8..4, tag, first, 0_u64..6).prop_map(|(server, tag, first, more)| {
        let last = first + more.min(LARGEST - first);
        format!("5bd1e37c-0000-4000-8000-00000000000{server}{tag}:{first}-{last}")
    });
    let loud = |(items, loud): (Vec<String>, bool)| {
        if loud { items.join(" ,\n").replace(':', " : ").to_uppercase() } else { items.join(",") }
    };
    (proptest::collection::vec(item, 0..12), any::<bool>()).prop_map(loud)
}

/// Typed with one slip of the pen.
fn mistyped() -> impl Strategy<Value = String> {
    let characters = "0129-:,_aA \n".chars().collect::<Vec<_>>();
    let slip = (any::<Index>(), proptest::sample::select(characters), any::<bool>());
    (typed(), slip).prop_map(|(text, (at, character, instead))| {
        let mut text: Vec<char> = text.chars().collect();
        let at = at.index(text.len() + 1);
        if instead && at < text.len() {
            text[at] = character;
        } else {
            text.insert(at, character);
        }
        String::from_iter(text)
    })
}

/// The server's text on one line, which is how we print it.
fn on_one_line(text: &str) -> String {
    text.replace('\n', "")
}

async fn sets_are_printed_subtracted_and_compared_as_we_do(connection: &mut Conn) {
    for batch in samples(200, &(typed(), typed())).chunks(BATCH) {
        let mut query = String::new();
        for (number, (a, b)) in batch.iter().enumerate() {
            let union = if number == 0 { "" } else { " UNION ALL " };
            write!(
                query,
                "{union}SELECT GTID_SUBTRACT('{a}', ''), GTID_SUBTRACT('{a},{b}', ''), \
                 GTID_SUBTRACT('{a}', '{b}'), GTID_SUBSET('{a}', '{b}')"
            )
            .unwrap();
        }
        let answers: Vec<(String, String, String, bool)> = connection.query(query).await.unwrap();
        assert_eq!(answers.len(), batch.len());
        for ((a, b), (printed, union, difference, subset)) in batch.iter().zip(answers) {
            let (x, y) = (mysql_set(a), mysql_set(b));
            assert_eq!(x.to_string(), on_one_line(&printed), "{a}");
            assert_eq!(mysql_set(&printed), x, "{a}");
            assert_eq!(x.union(&y).to_string(), on_one_line(&union), "{a} and {b}");
            assert_eq!(x.minus(&y).to_string(), on_one_line(&difference), "{a} without {b}");
            assert_eq!(y.contains(&x), subset, "{a} in {b}");
        }
    }
}

async fn every_text_that_we_take_is_taken(connection: &mut Conn) {
    let read = |text: String| {
        let set = GtidSet::parse(mysqlsvc_core::Flavor::MySql, &text).ok()?;
        Some((text, set.to_string()))
    };
    let taken: Vec<_> = samples(500, &mistyped()).into_iter().filter_map(read).collect();
    assert!(taken.len() > 100, "only {} of these texts say anything", taken.len());
    for batch in taken.chunks(BATCH) {
        let asked: Vec<_> =
            batch.iter().map(|(text, _)| format!("SELECT GTID_SUBTRACT('{text}', '')")).collect();
        let printed: Vec<String> = connection.query(asked.join(" UNION ALL ")).await.unwrap();
        for ((text, ours), theirs) in batch.iter().zip(printed) {
            assert_eq!(*ours, on_one_line(&theirs), "{text}");
        }
    }
}

async fn the_last_number_is_the_last(connection: &mut Conn) {
    let uuid = "5bd1e37c-0000-4000-8000-000000000001";
    for (number, taken) in [(0, false), (1, true), (LARGEST, true), (LARGEST + 1, false)] {
        let text = format!("{uuid}:{number}");
        let theirs = connection.query_drop(format!("SELECT GTID_SUBSET('{text}', '')")).await;
        let ours = GtidSet::parse(mysqlsvc_core::Flavor::MySql, &text);
        assert_eq!((theirs.is_ok(), ours.is_ok()), (taken, taken), "{text}");
    }
}

async fn empty_transactions_make_an_errant_set_executed(connection: &mut Conn) {
    const EXECUTED: &str = "SELECT @@global.gtid_executed";
    let before: String = connection.query_first(EXECUTED).await.unwrap().unwrap();
    let errant = samples(8, &typed())
        .iter()
        .fold(mysql_set(""), |sum, text| sum.union(&mysql_set(text)))
        .minus(&mysql_set(&before));
    let all = errant.transactions(1000);
    assert_eq!(all.left_out, 0);
    for gtid in all.listed {
        for statement in [&format!("SET gtid_next = '{gtid}'"), "BEGIN", "COMMIT"] {
            connection
                .query_drop(statement)
                .await
                .unwrap_or_else(|error| panic!("{gtid}: {error}"));
        }
    }
    connection.query_drop("SET gtid_next = AUTOMATIC").await.unwrap();
    let after: String = connection.query_first(EXECUTED).await.unwrap().unwrap();
    assert_eq!(mysql_set(&after).minus(&mysql_set(&before)), errant);
}
