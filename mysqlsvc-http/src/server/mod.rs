//! The answering side: the API for people and tools, routes for proxies.
//!
//! [`api_router`] and [`sse_router`] are plain tower services over a [`ServerState`]; [`serve`]
//! runs one of them on a listener until it is told to stop.

mod api;
mod connection;
mod documents;
mod extract;
mod health;
mod origin;
mod problem;
mod routers;
mod serve;
mod servers;
mod state;
mod stream;
mod waiting;

pub use self::{
    routers::{api_router, sse_router},
    serve::serve,
    state::ServerState,
};
