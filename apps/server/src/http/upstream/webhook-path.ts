/** Where the upstreams' webhooks arrive. */
export const WEBHOOK = '/notify/:channel/:mchNo'
