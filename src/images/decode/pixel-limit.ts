/** Pixels of one frame that are decoded unless more are allowed: the limit of sharp. */
export const DEFAULT_MAX_PIXELS = 268_402_689
