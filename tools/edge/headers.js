// By which a request chooses its version, as Cloudflare's page on gradual deployments names them.
export const OVERRIDES = 'Cloudflare-Workers-Version-Overrides'
export const KEY = 'Cloudflare-Workers-Version-Key'
