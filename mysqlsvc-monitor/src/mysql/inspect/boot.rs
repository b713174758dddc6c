//! Whether the server comes back read-only after a restart (DESIGN 4: demanded of every server).

use super::{Check, Fault};
use crate::mysql::{advice::AtBoot, answer::Record};

impl Check {
    pub(in super::super) async fn read_only_at_boot(&mut self) -> Result<AtBoot, Fault> {
        let text = self.lease.dialect().read_only_at_boot();
        match self.ask_if_allowed(text).await? {
            Ok(answer) => Ok(at_boot(answer.row(0)?)),
            Err(_) => Ok(AtBoot::Unseen),
        }
    }
}

fn at_boot(row: Record<'_>) -> AtBoot {
    let is_on = |text: &str| !matches!(text, "0" | "OFF");
    if let Some(persisted) = row.get("persisted") {
        return if persisted.split(',').any(is_on) { AtBoot::ReadOnly } else { AtBoot::Writable };
    }
    let origins: Vec<&str> =
        ["super_origin", "origin"].into_iter().filter_map(|column| row.get(column)).collect();
    if origins.iter().any(|origin| matches!(*origin, "SQL" | "DYNAMIC")) || origins.is_empty() {
        AtBoot::Unseen
    } else if is_on(row.get("value").unwrap_or("0")) {
        AtBoot::ReadOnly
    } else {
        AtBoot::Writable
    }
}
