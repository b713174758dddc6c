//! A proxy's acknowledgement of a hold.

use serde::{Deserialize, Serialize};

use super::{AckToken, OperationId};

/// Body of `POST /proxies/{id}/ack`: the gate is shut, and every dial begun earlier has ended or is
/// counted in `active`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldAck {
    /// The cluster the hold was for.
    pub cluster: String,
    /// The epoch of the route that carried the hold.
    pub epoch: u64,
    /// The operation that asked.
    pub operation: OperationId,
    /// The token of the hold, unchanged.
    pub ack_token: AckToken,
    /// Connections waiting at the gate.
    pub held: u64,
    /// Connections made before the gate shut and still alive. Never blocks a switch.
    pub active: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_the_contracts_fields() {
        let ack = HoldAck {
            cluster: "main".into(),
            epoch: 7,
            operation: "op".into(),
            ack_token: "secret".into(),
            held: 3,
            active: 2,
        };
        assert_eq!(
            serde_json::to_string(&ack).unwrap(),
            r#"{"cluster":"main","epoch":7,"operation":"op","ack_token":"secret","held":3,"active":2}"#
        );
        assert!(!format!("{ack:?}").contains("secret"));
    }
}
