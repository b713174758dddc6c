//! Documents as text for people. Pure: the same document gives the same text.

mod adoption;
mod advice;
mod cluster;
mod complaint;
mod node;
mod notes;
mod operation;
mod outcome;
mod paint;
mod paragraph;
mod plan;
mod table;
#[cfg(test)]
mod tests;
mod time;

pub(crate) use self::{
    adoption::adoption,
    advice::advice,
    cluster::{clusters, maintenance, node_line},
    complaint::complaint,
    node::nodes,
    operation::{StepLines, operation, operations, progress},
    outcome::summary,
    paint::Paint,
    plan::plan,
};
