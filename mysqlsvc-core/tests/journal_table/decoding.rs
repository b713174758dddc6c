//! What a store gives back is a record or an error, whatever became of its bytes.

use mysqlsvc_core::journal::{Entry, Record};
use proptest::{prelude::*, sample::Index};

use crate::{fixed, made::drafts, table::Past};

/// Reads bytes as a store would; what is read must be the same again when it was written.
fn read(bytes: &[u8]) -> Result<(), TestCaseError> {
    let _ = serde_json::from_slice::<Entry>(bytes);
    if let Ok(record) = serde_json::from_slice::<Record>(bytes) {
        let written = serde_json::to_vec(&record).unwrap();
        prop_assert_eq!(serde_json::from_slice::<Record>(&written).unwrap(), record);
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed())]

    #[test]
    fn every_record_is_read_as_it_was_written(drafts in drafts()) {
        for draft in drafts {
            let record = draft.record(&Past::default());
            let written = serde_json::to_string(&record).unwrap();
            prop_assert_eq!(serde_json::from_str::<Record>(&written).unwrap(), record);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        read(&bytes)?;
    }

    #[test]
    fn a_damaged_record_is_read_or_refused(drafts in drafts(), at: Index, byte: u8, cut: bool) {
        for draft in drafts {
            let mut written = serde_json::to_vec(&draft.record(&Past::default())).unwrap();
            let at = at.index(written.len());
            if cut {
                written.truncate(at);
                prop_assert!(serde_json::from_slice::<Record>(&written).is_err());
            } else {
                written[at] = byte;
                read(&written)?;
            }
        }
    }
}

#[test]
fn a_record_of_a_later_version_is_refused_by_name() {
    let error = serde_json::from_str::<Record>(r#"{"melted":{"step":1}}"#).unwrap_err();
    assert!(error.to_string().contains("melted"), "{error}");
    assert!(serde_json::from_str::<Record>(&"[".repeat(1_000_000)).is_err());
}
