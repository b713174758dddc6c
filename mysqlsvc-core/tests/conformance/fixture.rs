//! Two model servers for the suite.

use async_trait::async_trait;
use mysqlsvc_core::{
    Flavor, NodeId,
    testing::{
        Disturbance, Rights, SessionId, World, WriteAnswer,
        conformance::{Client, Fixture},
    },
};

pub(crate) struct ModelFixture {
    pub(crate) world: World,
    pub(crate) master: NodeId,
    pub(crate) replica: NodeId,
}

struct ModelClient {
    world: World,
    session: SessionId,
}

#[async_trait]
impl Client for ModelClient {
    async fn is_alive(&mut self) -> bool {
        self.world.is_connected(self.session)
    }

    async fn close(self: Box<Self>) {
        self.world.disconnect(self.session);
    }
}

impl ModelFixture {
    pub(crate) fn new(flavor: Flavor) -> Self {
        Self::on(World::new(flavor, 2))
    }

    /// MySQL servers without GTIDs.
    pub(crate) fn by_position() -> Self {
        Self::on(World::builder(Flavor::MySql).nodes(2).by_position(true).build())
    }

    fn on(world: World) -> Self {
        Self { master: world.node(1), replica: world.node(2), world }
    }

    fn client(&self, node: &NodeId) -> Option<ModelClient> {
        let session = self.world.connect(node, "app", Rights::Ordinary)?;
        Some(ModelClient { world: self.world.clone(), session })
    }
}

#[async_trait]
impl Fixture for ModelFixture {
    fn master(&self) -> &NodeId {
        &self.master
    }

    fn replica(&self) -> &NodeId {
        &self.replica
    }

    fn nowhere(&self) -> NodeId {
        self.world.node(99)
    }

    fn application(&self) -> &'static str {
        "app"
    }

    async fn write(&self, node: &NodeId) -> Result<(), String> {
        match self.world.client_write(node) {
            WriteAnswer::Acknowledged(_) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    }

    async fn count_rows(&self, node: &NodeId) -> Result<u64, String> {
        Ok(self.world.snapshot().servers[node].rows.len() as u64)
    }

    async fn connect(&self, node: &NodeId) -> Result<Box<dyn Client>, String> {
        match self.client(node) {
            Some(client) => Ok(Box::new(client)),
            None => Err(format!("cannot connect to {node}")),
        }
    }

    async fn lock(&self, node: &NodeId) -> Option<Box<dyn Client>> {
        let client = self.client(node)?;
        self.world.lock_tables(client.session);
        Some(Box::new(client))
    }

    async fn stop_applier(&self, node: &NodeId) -> Result<(), String> {
        self.world.disturb(Disturbance::StopApplier(node.clone()));
        Ok(())
    }

    async fn start_applier(&self, node: &NodeId) -> Result<(), String> {
        self.world.disturb(Disturbance::StartApplier(node.clone()));
        Ok(())
    }

    async fn moment(&self) {
        self.world.replicate();
    }
}
