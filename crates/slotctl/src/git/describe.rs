//! What a checkout is called.

use anyhow::Result;

use super::Repository;

impl Repository {
    /// The commit of HEAD by the nearest tag that is none of a component
    /// (`v0.2.0-3-g1a2b3c4`), with `-dirty` where the work tree differs.
    pub(crate) fn describe(&self) -> Result<Vec<u8>> {
        let args = [
            "describe",
            "--tags",
            "--always",
            "--dirty",
            "--exclude=components/*",
            "--exclude=logic/*",
        ];
        self.printed(&args)
    }

    /// The subject of HEAD's commit.
    pub(crate) fn subject(&self) -> Result<Vec<u8>> {
        self.printed(&["log", "-1", "--no-show-signature", "--format=%s"])
    }

    fn printed(&self, args: &[&str]) -> Result<Vec<u8>> {
        let printed = self.git.run(args).map_err(|error| error.explain(&self.common_dir))?;
        Ok(printed.trim_ascii().to_vec())
    }
}
