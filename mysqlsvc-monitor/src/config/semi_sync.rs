//! `[cluster.semi_sync]`: semi-synchronous replication, ours to manage where the section is there.

use std::{ops::RangeInclusive, time::Duration};

use mysqlsvc_core::{Millis, SemiSync};

use super::{problem::Problems, section::Section, value};

/// What both flavours do by default.
const DEFAULT: SemiSync = SemiSync { wait_for: 1, timeout: Millis(10_000) };

const REPLICAS: RangeInclusive<u32> = 1..=100;

const LIMIT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_hours(1);

pub(super) fn read(mut section: Section<'_>, problems: &mut Problems<'_>) -> Option<SemiSync> {
    let wait_for = section.read_or(problems, "wait_for", DEFAULT.wait_for, value::number(REPLICAS));
    let timeout = section.read_or(problems, "timeout", DEFAULT.timeout, value::duration(LIMIT));
    let managed = section.is_given().then_some(SemiSync { wait_for, timeout });
    section.finish(problems);
    managed
}
