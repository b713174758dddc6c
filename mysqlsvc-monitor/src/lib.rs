//! Watches and switches MySQL/MariaDB clusters: backend, probing, durable store, the actor that
//! drives the engine.
//!
//! | module | holds |
//! |---|---|
//! | [`config`], [`secrets`] | what an operator says, checked whole |
//! | [`mysql`] | the servers |
//! | [`store`] | the journal of each cluster and the audit, in SQLite |
//! | [`discovery`] | which servers there are |
//! | `prober` | a task per server that looks at it |
//! | [`publish`] | what proxies are told, and what they say back |
//! | [`cluster`] | the actor of one cluster |
//! | [`Monitor`] | all clusters of a configuration |
//!
//! ```no_run
//! use std::path::Path;
//! use mysqlsvc_core::engine::Request;
//! use mysqlsvc_monitor::{Monitor, config::{Config, Environment}, secrets::Secrets};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::load(Path::new("monitord.toml"), &Environment::of_process())?;
//! let secrets = Secrets::load(&config.monitor.secrets, config.monitor.secrets_readers)?;
//! let (monitor, running) = Monitor::start(&config, &secrets.credentials()).await?;
//! let main = monitor.cluster("main").ok_or("no such cluster")?;
//! let to = "10.0.0.2:3306".parse()?;
//! println!("{:?}", main.ask("me", Request::switch(to)).await?);
//! running.shutdown().await?;
//! # Ok(())
//! # }
//! ```

pub mod cluster;
pub mod config;
pub mod discovery;
mod monitor;
pub mod mysql;
mod prober;
pub mod publish;
pub mod secrets;
pub mod store;

pub use self::monitor::{Monitor, MonitorError, PATIENCE, Running};
