//! Advice on replication: what is set badly, why it matters, the statement that changes it; and
//! how far each replica is behind, and where.
//!
//! | file | holds |
//! |---|---|
//! | `facts` | what rules judge |
//! | `gather` | reading the facts, in a session of its own |
//! | `rules/` | the rules, each family a file; pure |
//! | `lag` | the lag in its parts; pure |
//! | `finding`, `id` | what is said |
//!
//! Settings that registering demands are judged by the same rules (`rules::demanded`), and what
//! [`super::inspect`](super) finds of rights, accounts and filters is taken over as it stands.
//! Nothing here changes a server.

mod facts;
mod finding;
mod gather;
mod id;
mod lag;
mod rules;

use std::collections::BTreeMap;

use async_trait::async_trait;
use mysqlsvc_core::{Flavor, LookError, NodeId, Role, ServerVersion};

use self::rules::{Subject, Surroundings};
pub use self::{
    facts::{
        AtBoot, Channel, EnabledEvent, Facts, Few, ServerSettings, TableName, Timing, Variables,
    },
    finding::{Advice, AdviceSeverity, Remedy},
    id::AdviceId,
    lag::{Lag, Share},
};
pub(super) use self::{gather::settings, rules::demanded};

/// Whoever can read the facts of servers.
#[async_trait]
pub trait Advisor: std::fmt::Debug + Send + Sync {
    /// The facts of one server, within a time limit of its own. Changes nothing.
    async fn facts(&self, node: &NodeId) -> Result<Facts, LookError>;
}

/// Facts that were read before; any other server is out of reach.
#[async_trait]
impl Advisor for BTreeMap<NodeId, Facts> {
    async fn facts(&self, node: &NodeId) -> Result<Facts, LookError> {
        let unknown = || LookError::Unreachable { detail: format!("nothing is known of {node}") };
        self.get(node).cloned().ok_or_else(unknown)
    }
}

/// What was asked of one server.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Its address.
    pub node: NodeId,
    /// What it is registered as.
    pub role: Role,
    /// What it answered.
    pub facts: Result<Facts, LookError>,
}

/// Advice for one server.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeAdvice {
    /// Its address.
    pub node: NodeId,
    /// What it is registered as.
    pub role: Role,
    /// What is to be said of it, or why it could not be asked.
    pub advised: Result<Advised, LookError>,
}

/// What is to be said of a server that answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Advised {
    /// Its family.
    pub flavor: Flavor,
    /// Its version.
    pub version: ServerVersion,
    /// How far it is behind, if it is a replica.
    pub lag: Option<Lag>,
    /// The worst first; empty is good.
    pub findings: Vec<Advice>,
}

/// Judges a cluster's servers, each by itself and compared with the master. The master must have
/// been asked before the others for the lag to be right. In the order of `asked`.
pub fn judge(asked: &[Asked]) -> Vec<NodeAdvice> {
    asked.iter().map(|one| judge_one(one, asked)).collect()
}

fn judge_one(one: &Asked, all: &[Asked]) -> NodeAdvice {
    let advised = one.facts.as_ref().map_err(Clone::clone).map(|facts| {
        let subject = Subject { facts, role: one.role };
        Advised {
            flavor: facts.settings.flavor,
            version: facts.settings.version,
            lag: lag::lag(facts, source_of(facts, all).map(|source| &source.executed)),
            findings: rules::all(subject, surroundings(one, all)),
        }
    });
    NodeAdvice { node: one.node.clone(), role: one.role, advised }
}

fn source_of<'a>(facts: &Facts, all: &'a [Asked]) -> Option<&'a Facts> {
    let source = &facts.replication.as_ref()?.source;
    all.iter().find(|other| other.node == *source)?.facts.as_ref().ok()
}

fn surroundings<'a>(one: &Asked, all: &'a [Asked]) -> Surroundings<'a> {
    let others = || all.iter().filter(|other| other.node != one.node);
    let master = others().find(|other| other.role == Role::Master);
    let registered = || others().filter(|other| other.role != Role::Unregistered);
    Surroundings {
        master: master.and_then(|master| master.facts.as_ref().ok()),
        acknowledging: registered()
            .filter_map(|other| other.facts.as_ref().ok())
            .filter(|facts| rules::acknowledges(facts))
            .count(),
        unseen: registered().filter(|other| other.facts.is_err()).count(),
    }
}
