//! What the demo stands on: servers, monitord, proxies.

use std::time::{Duration, Instant};

use mysqlsvc_http::wire::{ProxyMode, Role};
use mysqlsvc_rig::{
    Checker, Endpoint, Product, Programs, Readers, WriterOptions, Writers, create_tables,
    measure_floor,
};
use mysqlsvc_sandbox::{Flavor, Sandbox};

use super::{
    DemoArgs,
    application::{PAUSE, READ_PAUSE, READERS},
    failure::Failure,
    screen::Screen,
    view,
};

const LIMIT: Duration = Duration::from_mins(1);
/// With all of this on one machine, a healthy proxy may have to wait for its turn for longer than the
/// 500 ms of the default.
const ACK_TIMEOUT: &str = "\"1500ms\"";
const LOOK_EVERY: Duration = Duration::from_millis(5);
const ATTEMPT_EVERY: Duration = Duration::from_millis(10);
const FLOOR_ROUNDS: u32 = 5;
/// Writers of the floor; those of the application have numbers from 1 on.
const FLOOR_WRITERS: u32 = 1_000_000;

/// Everything that runs. Dropped from top to bottom.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) product: Product,
    pub(super) sandbox: Sandbox,
    /// How long bare SQL needs from freeze to open.
    pub(super) floor: Vec<Duration>,
}

impl Ground {
    /// The application's way to the master.
    pub(super) fn master(&self) -> Result<Endpoint, Failure> {
        self.through(ProxyMode::Master)
    }

    /// The application's way to the slaves.
    pub(super) fn slaves(&self) -> Result<Endpoint, Failure> {
        self.through(ProxyMode::Slave)
    }

    fn through(&self, mode: ProxyMode) -> Result<Endpoint, Failure> {
        Ok(self.product.proxy(mode)?.endpoint(&self.sandbox.accounts().app))
    }

    /// All servers, past the proxies.
    pub(super) fn direct(&self) -> Vec<Endpoint> {
        let app = &self.sandbox.accounts().app;
        self.sandbox.nodes().iter().map(|node| Endpoint::direct(node, app)).collect()
    }

    /// Who is what now: the master first, then the standby, then the others.
    pub(super) async fn roles(&self) -> Result<Vec<(String, Role)>, Failure> {
        let cluster = self.product.api().cluster(self.product.cluster()).await;
        let cluster = cluster.map_err(Failure::api("ask for the roles"))?;
        let mut roles: Vec<_> =
            cluster.nodes.into_iter().map(|node| (node.addr, node.role)).collect();
        roles.sort_by(|(address, role), (other, other_role)| {
            (role, address).cmp(&(other_role, other))
        });
        Ok(roles)
    }

    /// Ends and removes everything, in good order.
    pub(super) async fn down(self) -> Result<(), Failure> {
        self.product.down().await?;
        Ok(self.sandbox.down().await?)
    }
}

/// Starts everything, and shows where it is.
pub(super) async fn prepare(args: &DemoArgs, screen: &Screen) -> Result<Ground, Failure> {
    let begun = Instant::now();
    // Before anything is started that would have to be removed again.
    let programs = Programs::find()?;
    let name = view::flavor_name(args.flavor);
    let first = if args.flavor == Flavor::MySql {
        " in containers (where no image is to be had, one is built first, which takes a minute)"
    } else {
        ""
    };
    screen.doing(&format!("starting four {name} servers{first}"));
    let sandbox = Sandbox::builder().flavor(args.flavor).wire(true).start().await?;
    let floor = floor(args, &sandbox, screen).await?;
    screen.live(&[screen.style().dim("starting monitord and two proxyd, registering the servers")]);
    let builder = Product::builder().programs(programs).switch_setting("ack_timeout", ACK_TIMEOUT);
    let product = builder.start(&sandbox).await?;
    product.register_all(&sandbox, LIMIT).await?;
    product.await_settled(LIMIT).await?;
    product.await_serving(&sandbox.accounts().app, LIMIT).await?;
    let ground = Ground { product, sandbox, floor };
    let roles = ground.roles().await?;
    for line in view::header(&ground, &roles, begun.elapsed(), screen.style())? {
        screen.say(&line);
    }
    Ok(ground)
}

/// Measured before monitord watches, under the load that the switches will have: as many writers
/// and readers, as fast, but straight at the servers; the checker looks as it will then.
async fn floor(
    args: &DemoArgs,
    sandbox: &Sandbox,
    screen: &Screen,
) -> Result<Vec<Duration>, Failure> {
    screen.doing("measuring what bare SQL needs from freeze to open, under load");
    let app = &sandbox.accounts().app;
    let master = Endpoint::direct(sandbox.node(0)?, app);
    create_tables(&master).await?;
    let checker = checker(args, sandbox);
    let options = WriterOptions { writers: args.writers, first: FLOOR_WRITERS, pause: PAUSE };
    let writers = Writers::start(&master, options);
    let slave = Endpoint::direct(sandbox.node(2)?, app);
    let readers = Readers::start(&slave, READERS, READ_PAUSE);
    let measured = measure_floor(sandbox, FLOOR_ROUNDS).await;
    writers.stop().await;
    readers.stop().await;
    checker.stop().await;
    Ok(measured?)
}

/// Looks at every server, past the proxies.
pub(super) fn checker(args: &DemoArgs, sandbox: &Sandbox) -> Checker {
    Checker::start(sandbox, LOOK_EVERY, args.try_writes.then_some(ATTEMPT_EVERY))
}
