//! Networks that write real databases, migrate under load, and must go on.
//!
//! This crate has nothing to do yet: the staged rollout brings its scenarios. Nothing may depend on it.
