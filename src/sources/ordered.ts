/**
 * Maps a sequence with a few steps in flight at once, giving the results in order. Nothing is started before it is
 * asked for, beyond the look-ahead. When the reader stops, the signal given to `map` fires and what is in flight
 * is forgotten.
 */
export async function* mapOrdered<T, R>(
  items: Iterable<T>,
  map: (item: T, signal: AbortSignal) => Promise<R>,
  options: { readonly ahead: number; readonly signal: AbortSignal },
): AsyncGenerator<R, void, undefined> {
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const iterator = items[Symbol.iterator]()
  const running: Promise<R>[] = []
  let done = false
  try {
    for (;;) {
      while (!done && running.length <= options.ahead) {
        const next = iterator.next()
        done = next.done === true
        if (next.done === true) break
        const result = map(next.value, signal)
        // A later step may fail before its turn; it is reported when its turn comes.
        result.catch(() => {})
        running.push(result)
      }
      const first = running.shift()
      if (first === undefined) return
      yield await first
    }
  } finally {
    stop.abort()
    iterator.return?.()
  }
}
