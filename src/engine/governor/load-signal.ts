/** Says whether this process is itself the bottleneck. While one says so, no host's limit grows. */
export interface LoadSignal {
  overloaded(): boolean
}

const calm: () => boolean = () => false

/** True while any signal is; cheap when there are none. */
export function anyOverloaded(signals: readonly LoadSignal[]): () => boolean {
  if (signals.length === 0) return calm
  return () => signals.some((signal) => signal.overloaded())
}
