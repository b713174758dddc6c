//! Nonsense is refused with the piece and the reason.

use mysqlsvc_core::gtid::{GtidTag, MariaDbGtidSet, MySqlGtidSet};

const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

#[test]
fn of_mysql() {
    for (text, reason) in [
        (A.to_owned(), "transaction numbers are missing"),
        (format!("{A}:"), "nothing between two colons"),
        (format!("{A}:0"), "a transaction number is from 1"),
        (format!("{A}:9223372036854775807"), "a transaction number is from 1"),
        (format!("{A}:1-9223372036854775807"), "a transaction number is from 1"),
        (format!("{A}:1-9223372036854775808"), "a transaction number is from 1"),
        (format!("{A}:1-18446744073709551615"), "a transaction number is from 1"),
        (format!("{A}:1-18446744073709551616"), "a transaction number is from 1"),
        (format!("{A}:5-3"), "`5-3` is not a MySQL GTID set: the interval ends before it begins"),
        (format!("{A}:1-2-3"), "a transaction number is from 1"),
        (format!("{A}:1-+3"), "a transaction number is from 1"),
        (format!("{A}:1:tag"), "transaction numbers are missing"),
        (format!("{A}:tag:other:1"), "a tag has no transaction numbers"),
        (format!("{A}:{}:1", "t".repeat(33)), "a tag is at most 32"),
        (format!("{A}:1,,{B}:1"), "does not begin with a server UUID"),
        (format!("{A}:naïve:1"), "a tag is at most 32"),
        ("0-1-100".to_owned(), "`0-1-100` is not a MySQL GTID set: it does not begin"),
    ] {
        let said = text.parse::<MySqlGtidSet>().unwrap_err().to_string();
        assert!(said.contains(reason), "{text}: {said}");
    }
}

#[test]
fn of_mariadb() {
    for (text, reason) in [
        ("0-1", "domain-server_id-sequence"),
        ("0-1-2-3", "domain-server_id-sequence"),
        ("0-1-2,", "domain-server_id-sequence"),
        ("-1-1-2", "domain-server_id-sequence"),
        ("4294967296-1-2", "the domain is a number"),
        ("0-x-2", "the server id is a number"),
        ("0-1-", "the sequence is a number"),
        ("0-1-+2", "the sequence is a number"),
        ("0-1-18446744073709551616", "the sequence is a number"),
        (A, "is not a MariaDB GTID set"),
    ] {
        let said = text.parse::<MariaDbGtidSet>().unwrap_err().to_string();
        assert!(said.contains(reason), "{text}: {said}");
    }
}

#[test]
fn only_the_beginning_of_a_long_text_is_repeated() {
    let said = "é".repeat(1_000_000).parse::<MySqlGtidSet>().unwrap_err().to_string();
    assert!(said.starts_with(&format!("`{}…` is not", "é".repeat(100))), "{said}");
}

#[test]
fn a_tag_is_a_word_in_small_letters() {
    assert_eq!("_Tag_1".parse::<GtidTag>().unwrap().as_str(), "_tag_1");
    for text in ["", "1a", "a b", "a-b", "naïve"] {
        assert!(text.parse::<GtidTag>().is_err(), "{text}");
    }
}
