//! What the core knows, as the documents of [`crate::wire`]. Pure: no clock is read, nothing is
//! asked.

mod adoption;
mod advice;
mod cluster;
mod execution;
mod moment;
mod node;
mod plan;
mod route;
mod toll;
mod words;

pub(crate) use self::{
    adoption::adoption_document,
    advice::advice_document,
    cluster::cluster_document,
    execution::operation_document,
    node::node_document,
    plan::plan_document,
    route::route_document,
    words::{asked_strategy, role_word},
};
