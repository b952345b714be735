//! Messages of our own protocols as they are on the wire, generated; `schema/node_migrate` describes them.
//!
//! These types check nothing. What is untrusted becomes a typed value elsewhere, such as [`crate::hello::Hello`].

#[allow(clippy::all, clippy::pedantic, reason = "generated")]
pub mod attest {
    //! `/node-migrate/attest/1`.

    include!("gen/node_migrate.attest.rs");
}

#[allow(clippy::all, clippy::pedantic, reason = "generated")]
pub mod blocks1 {
    //! `/node-migrate/blocks/1`.

    include!("gen/node_migrate.blocks1.rs");
}

#[allow(clippy::all, clippy::pedantic, reason = "generated")]
pub mod blocks2 {
    //! `/node-migrate/blocks/2`.

    include!("gen/node_migrate.blocks2.rs");
}

#[allow(clippy::all, clippy::pedantic, reason = "generated")]
pub mod hello {
    //! `/node-migrate/hello/1`.

    include!("gen/node_migrate.hello.rs");
}

#[allow(clippy::all, clippy::pedantic, reason = "generated")]
pub mod refusal {
    //! Why blocks do not come.

    include!("gen/node_migrate.refusal.rs");
}

#[allow(clippy::all, clippy::pedantic, reason = "generated")]
pub mod status {
    //! Where a node stands.

    include!("gen/node_migrate.status.rs");
}
