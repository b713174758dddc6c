//! Model checking of the shipped engine over the model cluster.
//!
//! The crash matrix plays every single fault at every place of one run. Here every order in which
//! things may happen is played: answers that are late, a monitor that dies between any two of them,
//! servers that crash, hang and come back, statements that take effect long after, applications
//! that write, replication that lags, operators who ask for something else meanwhile. A budget says
//! how often each may happen, so that the states can be counted; within it, nothing is left out.

mod begin;
mod canonical;
mod carry;
mod configurations;
mod heal;
mod model;
mod run;
mod scenario;
mod state;
mod step;
mod verdict;

pub use self::{
    carry::How,
    configurations::{FLAVORS, full, small},
    model::{
        ACKNOWLEDGED, ENDS_WHOLE, EPOCHS, LAST_COPY, ONE_WRITABLE, Proof, ROUTED_WRITABLE, SOUND,
    },
    run::{Outcome, prove},
    scenario::{Ask, Budget, Scenario},
    state::State,
    step::Step,
    verdict::Broken,
};
