//! The proxies' side: `GET /servers` and `POST /proxies/{id}/ack` (CONTRACTS 2).

use axum::{
    extract::State,
    http::StatusCode,
    response::{Response, sse::Event},
};

use mysqlsvc_core::{Epoch, Incarnation};
use mysqlsvc_monitor::{
    cluster::{ClusterHandle, ProxyWord},
    publish::{self, AckError, Acknowledgement, Published},
};

use super::{
    ServerState,
    connection::Connection,
    documents::route_document,
    extract::{Arguments, Json, Names},
    problem::Failure,
    state::StreamKind,
    stream::{Feed, event_stream},
};
use crate::wire::{EVENT_INIT, EVENT_UPDATE, FlatRoute, HoldAck, ProxyMode, Route, ServersQuery};

/// `init` at once to the new client only, `update` at each change, the full route in each.
pub(super) async fn follow(
    State(state): State<ServerState>,
    connection: Connection,
    Arguments(query): Arguments<ServersQuery>,
) -> Result<Response, Failure> {
    let permit = state.stream_permit(StreamKind::Routes)?;
    let cluster = state.cluster_or_only(query.cluster.as_deref())?.clone();
    check_proxy(&query)?;
    let identity = query.proxy.as_ref().zip(query.mode.map(mode));
    if let Some(word) = identity.and_then(|(proxy, mode)| word(proxy, mode, &query, &connection)) {
        cluster.hear(word);
    }
    // Before the route is read: a hold sent from now on waits for this proxy's word.
    let registered = identity.map(|(proxy, mode)| cluster.publisher().register(proxy, mode));
    let routes = cluster.publisher().subscribe();
    let flat = query.wants_flat();
    let mut name = EVENT_INIT;
    let mut last = String::new();
    let feed = Feed::new(routes, connection.shutdown, move |published| {
        let _held = (&permit, &registered);
        let route = document(&cluster, published.as_deref()?);
        let data = render(&route, flat)?;
        if flat && data == last {
            // What is new in it has no place in this form.
            return None;
        }
        last.clone_from(&data);
        Some(
            Event::default()
                .event(std::mem::replace(&mut name, EVENT_UPDATE))
                .id(route.stamp.position.to_string())
                .data(data),
        )
    });
    Ok(event_stream(feed))
}

fn check_proxy(query: &ServersQuery) -> Result<(), Failure> {
    match (&query.proxy, query.mode) {
        (Some(id), _) if id.is_empty() || id.len() > 200 => {
            Err(Failure::malformed("`proxy` must be an id of 1 to 200 bytes"))
        }
        // It is shown to people, on their terminals.
        (Some(id), _) if id.contains(char::is_control) => {
            Err(Failure::malformed("`proxy` must be an id without control characters"))
        }
        (None, Some(_)) => {
            Err(Failure::malformed("`mode` is given without `proxy`, the id of the proxy"))
        }
        (Some(_), None) => Err(Failure::malformed(
            "`proxy` is given without `mode`; expected mode=master or mode=slave",
        )),
        _ => Ok(()),
    }
}

fn mode(mode: ProxyMode) -> publish::ProxyMode {
    match mode {
        ProxyMode::Master => publish::ProxyMode::Master,
        ProxyMode::Slave => publish::ProxyMode::Slave,
    }
}

/// Which route a proxy says it has; none where it has none that a store of ours could have made.
fn word(
    proxy: &str,
    mode: publish::ProxyMode,
    query: &ServersQuery,
    connection: &Connection,
) -> Option<ProxyWord> {
    let stamp = query.stamp()?;
    Some(ProxyWord {
        proxy: proxy.to_owned(),
        mode,
        address: connection.who(),
        epoch: Epoch(stamp.position.epoch),
        incarnation: Incarnation(stamp.incarnation?.as_str().parse().ok()?),
    })
}

/// Made at sending: the time a hold has left, and the ages of data.
fn document(cluster: &ClusterHandle, published: &Published) -> Route {
    route_document(published, &cluster.snapshot())
}

fn render(route: &Route, flat: bool) -> Option<String> {
    if flat {
        serde_json::to_string(&FlatRoute::from(route)).ok()
    } else {
        serde_json::to_string(route).ok()
    }
}

/// 204 when the word was taken; sending it twice is harmless.
pub(super) async fn acknowledge(
    State(state): State<ServerState>,
    Names(proxy): Names<String>,
    Json(ack): Json<HoldAck>,
) -> Result<StatusCode, Failure> {
    let publisher = state.cluster(&ack.cluster)?.publisher();
    let epoch = publisher.latest().map(|latest| latest.route().epoch.0);
    if epoch != Some(ack.epoch) {
        return Err(AckError::NoHold.into());
    }
    let word = Acknowledgement {
        proxy,
        operation: ack.operation.as_str().parse().map_err(|_| AckError::NoHold)?,
        ack_token: token(&ack)?,
        held: ack.held,
        active: ack.active,
    };
    publisher.acknowledge(&word)?;
    Ok(StatusCode::NO_CONTENT)
}

/// A text that is no token of ours is a wrong one.
fn token(ack: &HoldAck) -> Result<publish::AckToken, AckError> {
    let token = ack.ack_token.as_str().parse().map_err(|_| AckError::WrongToken)?;
    Ok(publish::AckToken(token))
}
