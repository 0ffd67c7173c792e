//! `slotctl token`: creates a read token and the entry that the Worker stores for it.

use anyhow::Result;
use serde_json::json;

use crate::args::TokenArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::read_token::ReadToken;

/// Carries out the command.
pub(crate) fn run(context: &Context<'_, TokenArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    let ReadToken { token, hash, entry } = ReadToken::new(&args.scopes)?;
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
