use proptest::prelude::*;

use super::*;

const LONG: Duration = Duration::from_secs(10);

#[test]
fn a_hold_is_settled_only_once_every_earlier_dial_has_ended_or_succeeded() {
    let now = Instant::now();
    let mut gate = State::new(8);
    for _ in 0..3 {
        assert_eq!(gate.arrive(now), Arrival::Dials);
    }
    let hold = gate.shut(now, LONG);
    assert_eq!(gate.arrive(now), Arrival::Parks);
    let waiting = Settlement::Waiting { until: now + LONG };
    assert_eq!(gate.settlement(hold), waiting);
    gate.end_dial();
    gate.activate();
    assert_eq!(gate.settlement(hold), waiting);
    gate.park_again();
    let counts = HoldCounts { held: 2, active: 1 };
    let until = now + LONG;
    assert_eq!(gate.settlement(hold), Settlement::Settled { counts, until });
}

#[test]
fn the_queue_has_a_bound_that_a_given_up_dial_may_pass() {
    let now = Instant::now();
    let mut gate = State::new(1);
    assert_eq!(gate.arrive(now), Arrival::Dials);
    gate.shut(now, LONG);
    assert_eq!(gate.arrive(now), Arrival::Parks);
    assert_eq!(gate.arrive(now), Arrival::QueueFull);
    gate.park_again();
    assert_eq!(gate.counts().held, 2);
}

#[test]
fn a_hold_runs_out_by_itself_and_says_so() {
    let now = Instant::now();
    let mut gate = State::new(8);
    let hold = gate.shut(now, LONG);
    assert_eq!(gate.arrive(now), Arrival::Parks);
    assert!(!gate.release(now + LONG / 2));
    assert!(gate.release(now + LONG));
    assert_eq!(gate.settlement(hold), Settlement::Ended(HoldEnded::Expired));
}

#[test]
fn a_newer_hold_takes_the_place_of_the_older() {
    let now = Instant::now();
    let mut gate = State::new(8);
    let first = gate.shut(now, LONG);
    let second = gate.shut(now, LONG * 2);
    assert_eq!(gate.settlement(first), Settlement::Ended(HoldEnded::Superseded));
    assert_eq!(gate.shut_until(), Some(now + LONG * 2));
    gate.open();
    assert_eq!(gate.settlement(second), Settlement::Ended(HoldEnded::Reopened));
}

#[test]
fn a_hold_without_time_never_shuts() {
    let now = Instant::now();
    let mut gate = State::new(8);
    let hold = gate.shut(now, Duration::ZERO);
    assert_eq!(gate.arrive(now), Arrival::Dials);
    assert_eq!(gate.settlement(hold), Settlement::Ended(HoldEnded::Expired));
}

/// What may happen to the gate; connections are picked by number, modulo those in that place.
#[derive(Clone, Copy, Debug)]
enum Step {
    Arrive,
    Shut(u64),
    Open,
    Pass(u64),
    Release,
    Leave,
    Fail,
    Succeed,
    ParkAgain,
    End,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Arrive),
        1 => (0u64..20).prop_map(Step::Shut),
        1 => Just(Step::Open),
        2 => (0u64..10).prop_map(Step::Pass),
        3 => Just(Step::Release),
        1 => Just(Step::Leave),
        1 => Just(Step::Fail),
        2 => Just(Step::Succeed),
        1 => Just(Step::ParkAgain),
        1 => Just(Step::End),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    /// Against a model that only counts: no place is lost or made, none dials through a shut
    /// gate, and settled means that none dials.
    #[test]
    fn places_are_conserved_and_nothing_dials_through_a_shut_gate(steps in steps()) {
        let mut now = Instant::now();
        let mut gate = State::new(5);
        let (mut held, mut dialling, mut active) = (0, 0, 0);
        let mut hold = 0;
        for step in steps {
            gate.expire(now);
            let shut = gate.shut_until().is_some();
            match step {
                Step::Arrive => match gate.arrive(now) {
                    Arrival::Dials => { prop_assert!(!shut); dialling += 1; }
                    Arrival::Parks => { prop_assert!(shut && held < 5); held += 1; }
                    Arrival::QueueFull => prop_assert!(shut && held >= 5),
                },
                Step::Shut(seconds) => hold = gate.shut(now, Duration::from_secs(seconds)),
                Step::Open => gate.open(),
                Step::Pass(seconds) => now += Duration::from_secs(seconds),
                Step::Release if held > 0 => {
                    let released = gate.release(now);
                    prop_assert_eq!(released, !shut);
                    if released { held -= 1; dialling += 1; }
                }
                Step::Leave if held > 0 => { gate.leave_queue(); held -= 1; }
                Step::Fail if dialling > 0 => { gate.end_dial(); dialling -= 1; }
                Step::Succeed if dialling > 0 => { gate.activate(); dialling -= 1; active += 1; }
                Step::ParkAgain if dialling > 0 => { gate.park_again(); dialling -= 1; held += 1; }
                Step::End if active > 0 => { gate.end_active(); active -= 1; }
                _ => {}
            }
            prop_assert_eq!(gate.counts(), GateCounts { held, dialling, active });
            if let Settlement::Settled { counts, .. } = gate.settlement(hold) {
                prop_assert_eq!(dialling, 0);
                prop_assert_eq!(counts, HoldCounts { held, active });
            }
        }
    }
}
