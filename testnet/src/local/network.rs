//! A network that runs: all its nodes, and the load.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::client::{Client, HeightSeen, RpcError};
use super::fault::SceneError;
use super::layout::Layout;
use super::load::Load;
use super::process;
use crate::chain::Time;
use crate::store::Format;

/// Between two looks at a height.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long a network may take to make the blocks that are waited for, beside a second for each.
const PATIENCE: Duration = Duration::from_secs(180);

/// A network that runs; its processes end with it.
pub struct Network {
    /// On the disk.
    pub layout: Layout,
    program: PathBuf,
    clients: Vec<Client>,
    load: Option<Load>,
}

impl Network {
    /// Makes the network of a scenario, starts it, and loads it.
    ///
    /// # Errors
    /// [`SceneError`].
    pub fn begin(folder: &Path, scenario: &str, program: &Path, now: Time) -> Result<Self, SceneError> {
        let layout = Layout::create(folder, scenario, now)?;
        let clients = (0..layout.scenario.nodes.len()).map(|place| Client::new(layout.rpc(place))).collect();
        let mut network = Self { layout, program: program.to_owned(), clients, load: None };
        for node in network.names() {
            process::start(&network.layout, &node, &network.program)?;
        }
        network.wait_all(2)?;
        network.load = Some(Load::begin(&network.layout));
        Ok(network)
    }

    /// Names of all nodes.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.layout.scenario.nodes.iter().map(|node| node.name.clone()).collect()
    }

    /// The greatest height of all.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.clients.iter().filter_map(|client| client.height().ok()).max().unwrap_or_default()
    }

    /// Waits until every node has a height.
    ///
    /// # Errors
    /// [`SceneError::Late`].
    pub fn wait_all(&self, height: u64) -> Result<(), SceneError> {
        let blocks = height.saturating_sub(self.height());
        let limit = PATIENCE + Duration::from_secs(blocks);
        let end = Instant::now() + limit;
        for (client, node) in self.clients.iter().zip(self.names()) {
            loop {
                let actual = client.height();
                if actual.as_ref().is_ok_and(|actual| *actual >= height) {
                    break;
                }
                if Instant::now() >= end {
                    let actual = actual.map_or_else(|error| error.to_string(), |actual| format!("height {actual}"));
                    return Err(SceneError::Late { node, height, limit, actual });
                }
                sleep(LOOK_EVERY);
            }
        }
        Ok(())
    }

    /// The heights from `first` to `last`, as the first node has them.
    ///
    /// # Errors
    /// [`SceneError`].
    pub fn heights(&self, first: u64, last: u64) -> Result<Vec<(u64, HeightSeen)>, SceneError> {
        let Some(client) = self.clients.first() else { return Ok(Vec::new()) };
        (first..=last)
            .map(|height| Ok((height, client.at(height)?)))
            .collect::<Result<_, RpcError>>()
            .map_err(Into::into)
    }

    /// Block hashes of all heights up to `last`, the same on every node.
    ///
    /// # Errors
    /// [`SceneError::NotHeld`] where two nodes differ.
    pub fn history(&self, last: u64) -> Result<Vec<String>, SceneError> {
        let mut history: Option<Vec<String>> = None;
        for (client, node) in self.clients.iter().zip(self.names()) {
            let own = (1..=last).map(|height| Ok(client.at(height)?.hash)).collect::<Result<Vec<_>, RpcError>>()?;
            match &history {
                Some(others) => SceneError::expect(&format!("the blocks of {node}"), &own, others)?,
                None => history = Some(own),
            }
        }
        Ok(history.unwrap_or_default())
    }

    /// Messages sent in each wire version, by node, since each one's start.
    ///
    /// # Errors
    /// [`SceneError`].
    pub fn sent(&self) -> Result<BTreeMap<String, [u64; 2]>, SceneError> {
        let sent = self.clients.iter().zip(self.names()).map(|(client, node)| Ok((node, client.sent()?)));
        sent.collect::<Result<_, RpcError>>().map_err(Into::into)
    }

    /// The format that each home's configuration names.
    ///
    /// # Errors
    /// [`SceneError`].
    pub fn formats(&self) -> Result<BTreeMap<String, Format>, SceneError> {
        let format = |node: String| {
            let path = self.layout.home(&node).join("config/config.toml");
            let text = std::fs::read_to_string(&path);
            let text = text.map_err(|error| SceneError::File { path, reason: error.to_string() })?;
            let is_new = text.lines().any(|line| line.trim() == "db_backend = \"rocksdb\"");
            Ok((node, if is_new { Format::New } else { Format::Old }))
        };
        self.names().into_iter().map(format).collect()
    }

    /// Ends the load and has all nodes end at one height; the height.
    ///
    /// # Errors
    /// [`SceneError`].
    pub fn end_together(&mut self) -> Result<u64, SceneError> {
        self.load = None;
        let height = self.height() + 3;
        for client in &self.clients {
            client.halt_at(height)?;
        }
        self.wait_all(height)?;
        for (client, node) in self.clients.iter().zip(self.names()) {
            SceneError::expect(&format!("the last height of {node}"), &client.height()?, &height)?;
        }
        self.stop()?;
        Ok(height)
    }

    fn stop(&self) -> Result<(), SceneError> {
        for node in self.names() {
            process::stop(&self.layout, &node)?;
        }
        Ok(())
    }
}

/// Ends the nodes of all networks below a folder, as far as they can be ended: for somebody who is told to end at once.
pub fn end_all(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(layout) = Layout::open(&entry.path()) else { continue };
        for node in &layout.scenario.nodes {
            // Whoever cannot be ended is told of by the system's list of processes.
            let _ = process::stop(&layout, &node.name);
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.load = None;
        // Whatever went wrong before is what is told.
        let _ = self.stop();
    }
}
