//! `slotctl token`: creates a read token and the entry that the Worker stores for it.

use anyhow::{Context as _, Result};
use base64ct::{Base64UrlUnpadded, Encoding};
use catalog::digest::Digest;
use serde_json::json;

use crate::args::TokenArgs;
use crate::context::Context;
use crate::exit::Exit;

/// The prefix of tokens, by which scanners for leaked secrets recognize them.
const PREFIX: &str = "crt_";

/// Carries out the command.
pub(crate) fn run(context: &Context<'_, TokenArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    let mut random = [0; 32];
    getrandom::fill(&mut random).context("the operating system returned no random bytes")?;
    let token = format!("{PREFIX}{}", Base64UrlUnpadded::encode_string(&random));
    let hash = Digest::of(token.as_bytes()).to_string();
    let entry = json!({ &hash: args.scopes });
    if args.json {
        let value =
            json!({ "token": token, "hash": hash, "scopes": args.scopes, "readTokens": entry });
        output.data(Exit::Done, &value)?;
        return Ok(Exit::Done);
    }
    output.print(&format!("{token}\n{entry}\n"))?;
    output.hint("the first line is the token; give it to the caller, it is not shown again");
    output.hint(
        "the second is for READ_TOKENS: merge it into the JSON object that is stored, then \
         npx wrangler secret put READ_TOKENS --config wrangler.toml --env <NAME>",
    );
    Ok(Exit::Done)
}
