//! Advice on replication.

use mysqlsvc_monitor::mysql::advice::{self, Advice, Advised, Lag, NodeAdvice, Share};

use super::words;
use crate::wire::{AdviceFinding, AdviceSeverity, LagDocument, LagShare, NodeAdviceDocument, Role};

/// The document of one server.
pub(crate) fn advice_document(advice: &NodeAdvice) -> NodeAdviceDocument {
    let addr = advice.node.to_string();
    let role = words::role(advice.role);
    match &advice.advised {
        Ok(advised) => answered(addr, role, advised),
        Err(error) => NodeAdviceDocument {
            addr,
            role,
            error: Some(error.to_string()),
            flavor: None,
            version: None,
            lag: None,
            findings: Vec::new(),
        },
    }
}

fn answered(addr: String, role: Role, advised: &Advised) -> NodeAdviceDocument {
    let findings = advised.findings.iter().map(|found| finding(&addr, found)).collect();
    NodeAdviceDocument {
        role,
        error: None,
        flavor: Some(words::flavor(advised.flavor)),
        version: Some(advised.version.to_string()),
        lag: advised.lag.as_ref().map(lag),
        findings,
        addr,
    }
}

fn lag(lag: &Lag) -> LagDocument {
    LagDocument {
        source: lag.source.to_string(),
        behind_ms: lag.behind.map(|behind| behind.0),
        not_sent: share(lag.not_sent),
        not_applied: share(lag.not_applied),
    }
}

fn share(share: Share) -> LagShare {
    LagShare { transactions: share.transactions, ms: share.time.map(|time| time.0) }
}

fn finding(node: &str, advice: &Advice) -> AdviceFinding {
    let remedy = &advice.remedy;
    AdviceFinding {
        id: advice.id.to_string(),
        severity: match advice.severity {
            advice::AdviceSeverity::Error => AdviceSeverity::Error,
            advice::AdviceSeverity::Warning => AdviceSeverity::Warning,
            advice::AdviceSeverity::Hint => AdviceSeverity::Hint,
        },
        node: node.to_owned(),
        seen: advice.seen.clone(),
        why: advice.why.clone(),
        statements: remedy.statements.clone(),
        option_file: remedy.option_file.clone(),
        restart: remedy.restart,
        note: Some(remedy.note.clone()).filter(|note| !note.is_empty()),
    }
}
