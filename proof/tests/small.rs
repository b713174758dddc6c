//! The small bound of the proof, with every run of the tests.

use mysqlsvc_core::Flavor;
use mysqlsvc_proof::{prove, small};

fn nothing_breaks(flavor: Flavor) {
    for scenario in small().into_iter().filter(|scenario| scenario.flavor == flavor) {
        let outcome = prove(&scenario, 1);
        assert!(outcome.unique > 40, "{scenario}: {outcome} is no search");
        if let Some(broken) = outcome.broken {
            panic!("{scenario}: {broken}");
        }
    }
}

#[test]
fn within_the_small_bound_nothing_breaks_on_mysql() {
    nothing_breaks(Flavor::MySql);
}

#[test]
fn within_the_small_bound_nothing_breaks_on_mariadb() {
    nothing_breaks(Flavor::MariaDb);
}
