//! What must come before what, read off a world's history.

use mysqlsvc_core::{
    NodeId, Phase,
    testing::{CallKind, Event, History},
};

/// The place of the first call of that kind to that server (to anybody, if none is named).
pub fn first_call(history: &History, kind: CallKind, node: Option<&NodeId>) -> Option<usize> {
    history.events.iter().position(|event| match event {
        Event::Called { kind: of, node: to, .. } => {
            *of == kind && node.is_none_or(|node| node == to)
        }
        _ => false,
    })
}

/// The place of the first statement with these words that this server carried out after a place.
pub fn first_statement(history: &History, after: usize, on: &NodeId, words: &str) -> Option<usize> {
    let sent = |event: &Event| match event {
        Event::Statement { node, text } => {
            node == on && text.contains(words) && !text.contains(" -> ")
        }
        _ => false,
    };
    history.events.iter().skip(after).position(sent).map(|place| place + after)
}

/// The place of the first route that tells proxies to hold.
pub fn first_hold(history: &History) -> Option<usize> {
    history.events.iter().position(|event| match event {
        Event::Published(route) => route.phase != Phase::Open,
        _ => false,
    })
}

/// How many rows this server acknowledged after a place.
pub fn acknowledged_after(history: &History, place: usize, by: &NodeId) -> usize {
    let told = |event: &&Event| matches!(event, Event::Acknowledged { node, .. } if node == by);
    history.events.iter().skip(place).filter(told).count()
}
