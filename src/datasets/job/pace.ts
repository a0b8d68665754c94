import type { Progress } from '../../core/index.ts'

const tellMs = 2000

/** Tells the pace of the last seconds every two seconds, until the returned function is called. */
export function tellPace(read: () => Progress, tell: (text: string) => void): () => void {
  let before = read()
  const timer = setInterval(() => {
    const now = read()
    tell(paceText(before, now))
    before = now
  }, tellMs)
  return () => clearInterval(timer)
}

/** `312 rows/s, 94 % good`. */
function paceText(before: Progress, now: Progress): string {
  const rows = now.ok + now.failed
  const seconds = (now.elapsedMs - before.elapsedMs) / 1000
  const rate = seconds > 0 ? (rows - before.ok - before.failed) / seconds : 0
  const good = rows === 0 ? '' : `, ${Math.floor((100 * now.ok) / rows)} % good`
  return `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} rows/s${good}`
}
