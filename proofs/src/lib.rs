//! What is proven.
