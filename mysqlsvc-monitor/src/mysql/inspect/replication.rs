//! What would make two servers differ in spite of replication: filters, other channels.

use super::{AdviceId, AdviceSeverity, Check, Fault, Remedy};
use crate::mysql::answer::{Answer, Record};

/// Columns of the two statements that hold filters, on both flavours; those that a flavour lacks
/// read as empty.
const REPLICA_FILTERS: [&str; 6] = [
    "Replicate_Do_DB",
    "Replicate_Ignore_DB",
    "Replicate_Do_Table",
    "Replicate_Ignore_Table",
    "Replicate_Wild_Do_Table",
    "Replicate_Wild_Ignore_Table",
];
const BINLOG_FILTERS: [&str; 2] = ["Binlog_Do_DB", "Binlog_Ignore_DB"];

impl Check {
    pub(super) async fn filters_and_channels(&mut self) -> Result<(), Fault> {
        let dialect = self.lease.dialect();
        let (channels, name) = dialect.channels();
        if let Ok(answer) = self.ask_if_allowed(channels).await? {
            self.filters(&answer, &REPLICA_FILTERS)?;
            for row in answer.table(0)?.rows() {
                if let Some(channel) = row.get(name).filter(|channel| !channel.is_empty()) {
                    self.find(
                        AdviceId::NamedChannel,
                        AdviceSeverity::Warning,
                        format!("it also replicates over the channel `{channel}`"),
                        "that channel is neither watched nor moved",
                        Remedy::default(),
                    );
                }
            }
        }
        if let Ok(answer) = self.ask_if_allowed(dialect.binlog_status()).await? {
            self.filters(&answer, &BINLOG_FILTERS)?;
        }
        Ok(())
    }

    fn filters(&mut self, answer: &Answer, columns: &[&str]) -> Result<(), Fault> {
        for row in answer.table(0)?.rows() {
            for (column, value) in set_columns(row, columns) {
                self.find(
                    AdviceId::ReplicationFilter,
                    AdviceSeverity::Warning,
                    format!("{column} is {value}"),
                    "what it leaves out is missing elsewhere after a switch",
                    Remedy::note("remove the filter, or have the same one on every server"),
                );
            }
        }
        Ok(())
    }
}

fn set_columns<'a>(
    row: Record<'a>,
    columns: &'a [&'a str],
) -> impl Iterator<Item = (&'a str, &'a str)> {
    columns
        .iter()
        .filter_map(move |column| Some((*column, row.get(column)?)))
        .filter(|(_, value)| !value.is_empty())
}
