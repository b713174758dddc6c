//! The original service's flat form of a route, for its own proxies.

use serde::{Deserialize, Serialize};

use super::{Container, Route};

/// `{"master":["10.0.0.1:3306"],"slave":["10.0.0.2:3306"]}`: what the original proxy reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlatRoute {
    /// `host:port`; at most one.
    pub master: Vec<String>,
    /// `host:port`, in order.
    pub slave: Vec<String>,
}

impl From<&Route> for FlatRoute {
    fn from(route: &Route) -> Self {
        let addresses = |list: &[Container]| list.iter().map(Container::address).collect();
        Self {
            master: addresses(&route.master.containers),
            slave: addresses(&route.slave.containers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_flat_form_is_written_to_the_letter() {
        let contract = r#"{"master":["10.0.0.1:3306"],"slave":["10.0.0.2:3306"]}"#;
        let route = Route::from_json(contract).unwrap();
        let flat = serde_json::to_string(&FlatRoute::from(&route)).unwrap();
        assert_eq!(flat, contract);
    }
}
