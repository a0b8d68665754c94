/**
 * Grants of requests at once, shared with other jobs, processes or machines. The governor keeps what it was
 * granted while it uses it and gives back what it does not need, so the source is not asked for every request.
 */
export interface BudgetSource {
  /** Asks for up to `count` more requests at once to the host; gives how many are granted now, perhaps 0. */
  grant(host: string, count: number): number
  giveBack(host: string, count: number): void
  /** Called when grants may be had again after a refusal. */
  onGrant?(listen: () => void): () => void
}
