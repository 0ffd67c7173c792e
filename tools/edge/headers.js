// The headers that select a version, as in Cloudflare's documentation of gradual deployments.
export const OVERRIDES = 'Cloudflare-Workers-Version-Overrides'
export const KEY = 'Cloudflare-Workers-Version-Key'
