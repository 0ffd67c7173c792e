//! The parser of an address on the command line.

use std::ffi::OsStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};
use endpoint::Endpoint;

/// Parses an [`Endpoint`]. clap's own error repeats the value, which may contain a password.
#[derive(Clone, Copy, Debug)]
pub(super) struct EndpointParser;

impl TypedValueParser for EndpointParser {
    type Value = Endpoint;

    fn parse_ref(
        &self,
        cmd: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Endpoint, Error> {
        let parsed = value.to_str().unwrap_or_default().parse();
        parsed.map_err(|error| {
            let option = arg.map(Arg::to_string).unwrap_or_default();
            Error::raw(ErrorKind::ValueValidation, format!("{option}: {error}\n")).with_cmd(cmd)
        })
    }
}
