//! Texts of sets: each set has one, each accepted text has a set, and nothing makes reading panic.

use mysqlsvc_core::{
    Flavor, GtidSet,
    gtid::{MariaDbGtidSet, MySqlGtidSet},
};
use proptest::{prelude::*, sample::Index};

use crate::sets::{alike, fixed, mysql_text, parts};

/// Reads a text both ways; what is accepted must be the same set again when it was printed.
fn read(text: &str) -> Result<(), TestCaseError> {
    for flavor in [Flavor::MySql, Flavor::MariaDb] {
        let Ok(set) = GtidSet::parse(flavor, text) else {
            continue;
        };
        let printed = set.to_string();
        prop_assert!(printed.len() <= text.len() + 40 * text.matches(':').count());
        let again = GtidSet::parse(flavor, &printed).unwrap();
        prop_assert_eq!(again.to_string(), printed);
        prop_assert_eq!(again, set);
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed())]

    #[test]
    fn any_text_is_read_or_refused(text: String) {
        read(&text)?;
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        read(&String::from_utf8_lossy(&bytes))?;
        let _ = serde_json::from_slice::<GtidSet>(&bytes);
    }

    #[test]
    fn anything_in_the_letters_of_sets_is_read_or_refused(
        mysql in "(0{8}-0000-0000-0000-0{11}[12](:[ab_1-]{0,3}){0,4},?){0,3}",
        mariadb in "([0-9]{1,3}(-[0-9]{1,20}){1,3},? ?){0,4}",
        both in "[-0-9a-f:,_ \n]{0,60}",
    ) {
        read(&mysql)?;
        read(&mariadb)?;
        read(&both)?;
    }

    #[test]
    fn a_text_with_one_character_changed_is_read_or_refused(
        a in parts(),
        at: Index,
        other in proptest::sample::select("0129-:,_a \n\u{e9}".chars().collect::<Vec<_>>()),
        instead: bool,
    ) {
        let mut text: Vec<char> = mysql_text(&a, false).chars().collect();
        let at = at.index(text.len() + 1);
        if instead && at < text.len() {
            text[at] = other;
        } else {
            text.insert(at, other);
        }
        read(&String::from_iter(text))?;
    }

    #[test]
    fn a_set_is_its_text_printed_or_stored([a, b, _] in alike()) {
        let text = a.to_string();
        prop_assert_eq!(&GtidSet::parse(a.flavor(), &text).unwrap(), &a);
        let stored = serde_json::to_string(&a).unwrap();
        prop_assert_eq!(&serde_json::from_str::<GtidSet>(&stored).unwrap(), &a);
        prop_assert_eq!(text == b.to_string(), a == b);
    }

    /// The laws that hold of both flavours.
    #[test]
    fn sets_obey_the_laws_of_sets([a, b, c] in alike()) {
        let empty = GtidSet::empty(a.flavor());
        prop_assert_eq!(a.union(&b), b.union(&a));
        prop_assert_eq!(a.union(&b).union(&c), a.union(&b.union(&c)));
        prop_assert_eq!(a.union(&a), a.clone());
        prop_assert_eq!(a.union(&empty), a.clone());
        prop_assert_eq!(a.minus(&empty), a.clone());
        prop_assert_eq!(a.minus(&a), empty.clone());
        prop_assert_eq!(a.minus(&b).minus(&b), a.minus(&b));
        prop_assert_eq!(a.minus(&b).union(&b), a.union(&b));
        prop_assert_eq!(a.minus(&b).minus(&c), a.minus(&b.union(&c)));
        prop_assert_eq!(a.minus(&b).is_empty(), b.contains(&a));
        prop_assert_eq!(a.union(&b) == a, a.contains(&b));
        prop_assert!(a.union(&b).contains(&a) && a.contains(&empty) && a.contains(&a.minus(&b)));
        prop_assert!(a.minus(&b).contains(&a.needed_beyond(&b)));
        prop_assert!(!(a.contains(&b) && b.contains(&c)) || a.contains(&c));
    }
}

const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

#[test]
fn sets_are_read_as_servers_write_them() {
    let set: MySqlGtidSet =
        format!("{B}:1,\n{A}:1-3:5:tag_a:4-5:9:TAG_B:1,\n{A}:4").parse().unwrap();
    assert_eq!(set.to_string(), format!("{A}:1-5:tag_a:4-5:9:tag_b:1,{B}:1"));
    let set: MariaDbGtidSet = "0-2-7, 0-1-100,1-1-5,0-2-6".parse().unwrap();
    assert_eq!(set.to_string(), "0-2-7,0-1-100,1-1-5");
    for flavor in [Flavor::MySql, Flavor::MariaDb] {
        assert_eq!(GtidSet::parse(flavor, " \n"), Ok(GtidSet::empty(flavor)));
    }
}

#[test]
fn sets_are_stored_as_their_text() {
    let set = GtidSet::parse(Flavor::MySql, &format!("{A}:1-5")).unwrap();
    let json = serde_json::to_string(&set).unwrap();
    assert_eq!(json, format!(r#"{{"mysql":"{A}:1-5"}}"#));
    assert_eq!(serde_json::from_str::<GtidSet>(&json).unwrap(), set);
    assert!(serde_json::from_str::<GtidSet>(r#"{"mariadb":"0-1"}"#).is_err());
}

#[test]
fn sets_of_different_flavours_share_nothing() {
    let mysql = GtidSet::parse(Flavor::MySql, &format!("{A}:1-5")).unwrap();
    let mariadb = GtidSet::parse(Flavor::MariaDb, "0-1-5").unwrap();
    assert!(!mysql.contains(&mariadb) && !mariadb.contains(&mysql));
    assert!(mysql.contains(&GtidSet::empty(Flavor::MariaDb)));
    assert_eq!(mysql.minus(&mariadb), mysql);
    assert_eq!(mysql.union(&mariadb), mysql);
}
