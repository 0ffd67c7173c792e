//! RPC over a service binding, as far as it runs without JavaScript.

pub(crate) mod lookup;
