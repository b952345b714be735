//! A peer by hand: QUIC with libp2p's certificates, and every byte above it as the test wants it.

use std::net::SocketAddr;
use std::sync::Arc;

use libp2p::PeerId;
use libp2p::identity::Keypair;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Connection, Endpoint, RecvStream, SendStream, ServerConfig};
use shim::lp2p::channel::PROTOCOLS;
use shim::lp2p::frame;

/// Multistream's first line, recorded from nodes.
pub const HEADER: &str = "132f6d756c746973747265616d2f312e302e300a";
/// The line of block sync, recorded from nodes.
pub const BLOCKSYNC: &str = "212f7032702f636f6d65746266742f312e302e302f6368616e6e656c2f307834300a";

const IDENTIFY: &str = "/ipfs/id/1.0.0";

/// One end of a connection.
pub struct Raw {
    keypair: Keypair,
    endpoint: Endpoint,
}

impl Raw {
    pub fn new() -> Self {
        let keypair = Keypair::generate_ed25519();
        let server = QuicServerConfig::try_from(libp2p_tls::make_server_config(&keypair).unwrap()).unwrap();
        let server = ServerConfig::with_crypto(Arc::new(server));
        let mut endpoint = Endpoint::server(server, "127.0.0.1:0".parse().unwrap()).unwrap();
        let client = QuicClientConfig::try_from(libp2p_tls::make_client_config(&keypair, None).unwrap()).unwrap();
        endpoint.set_default_client_config(ClientConfig::new(Arc::new(client)));
        Self { keypair, endpoint }
    }

    pub fn peer(&self) -> PeerId {
        self.keypair.public().to_peer_id()
    }

    pub fn address(&self) -> SocketAddr {
        self.endpoint.local_addr().unwrap()
    }

    pub async fn dial(&self, address: SocketAddr) -> Connection {
        self.endpoint.connect(address, "l").unwrap().await.unwrap()
    }

    pub async fn accept(&self) -> Connection {
        self.endpoint.accept().await.unwrap().await.unwrap()
    }

    /// Says who we are on every stream that asks, leaves block sync's to `serve`, and resets all others, as ping's.
    pub fn introduce<F>(&self, connection: Connection, serve: impl Fn(SendStream, RecvStream) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let names: Vec<&str> = PROTOCOLS.iter().map(AsRef::as_ref).collect();
        self.introduce_as(&names, connection, serve);
    }

    /// The same as one that speaks the protocols of these names.
    pub fn introduce_as<F>(
        &self,
        names: &[&str],
        connection: Connection,
        serve: impl Fn(SendStream, RecvStream) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let introduction = self.introduction(names);
        tokio::spawn(async move {
            // A ping whose stream ends is a peer that is gone: these stay open, unanswered.
            let mut pings = Vec::new();
            while let Ok((mut send, mut recv)) = connection.accept_bi().await {
                let Some(protocol) = agree(&mut send, &mut recv).await else { continue };
                if protocol == IDENTIFY {
                    send.write_all(&introduction).await.unwrap();
                    send.finish().unwrap();
                } else if protocol == "/ipfs/ping/1.0.0" {
                    pings.push((send, recv));
                } else if protocol.ends_with("/0x40") {
                    tokio::spawn(serve(send, recv));
                } else {
                    send.reset(0u32.into()).unwrap();
                }
            }
        });
    }

    /// identify's message (libp2p specification, identify): public key, protocols, agent.
    fn introduction(&self, names: &[&str]) -> Vec<u8> {
        let mut message = Vec::new();
        let mut field = |number: u8, bytes: &[u8]| {
            message.push(number << 3 | 2);
            message.extend(frame::prefix(bytes.len()));
            message.extend(bytes);
        };
        field(1, &self.keypair.public().encode_protobuf());
        for name in names {
            field(3, name.as_bytes());
        }
        field(6, b"raw");
        [frame::prefix(message.len()), message].concat()
    }
}

/// Asks a transport who it is, as nodes do at once.
pub async fn ask(connection: &Connection) {
    let (mut send, mut recv) = open(connection, IDENTIFY).await;
    send.finish().unwrap();
    assert!(recv.read_to_end(10_000).await.unwrap().len() > 100);
}

/// A line of multistream: its length, itself, and the end of the line.
pub fn line(text: &str) -> Vec<u8> {
    [frame::prefix(text.len() + 1), text.as_bytes().to_vec(), vec![b'\n']].concat()
}

/// Opens a stream and agrees on a protocol.
pub async fn open(connection: &Connection, protocol: &str) -> (SendStream, RecvStream) {
    let (mut send, mut recv) = connection.open_bi().await.unwrap();
    send.write_all(&[hex::decode(HEADER).unwrap(), line(protocol)].concat()).await.unwrap();
    assert_eq!(read_line(&mut recv).await.unwrap(), "/multistream/1.0.0");
    assert_eq!(read_line(&mut recv).await.unwrap(), protocol);
    (send, recv)
}

/// Agrees to whatever the other side proposes; its name.
async fn agree(send: &mut SendStream, recv: &mut RecvStream) -> Option<String> {
    let header = read_line(recv).await?;
    send.write_all(&line(&header)).await.ok()?;
    let protocol = read_line(recv).await?;
    send.write_all(&line(&protocol)).await.ok()?;
    Some(protocol)
}

pub async fn read_line(recv: &mut RecvStream) -> Option<String> {
    let mut length = [0];
    recv.read_exact(&mut length).await.ok()?;
    let mut text = vec![0; usize::from(length[0])];
    recv.read_exact(&mut text).await.ok()?;
    assert_eq!(text.pop(), Some(b'\n'));
    String::from_utf8(text).ok()
}
