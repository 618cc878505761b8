/** Whole seconds since the epoch: the unit of token claims and rate-limit windows. */
export const nowSeconds = () => Math.floor(Date.now() / 1000)
