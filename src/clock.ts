/** Whole seconds since the epoch, as tokens and windows of limits count them. */
export const nowSeconds = () => Math.floor(Date.now() / 1000)
