import { describe, expect, it } from 'vitest'
import { TrawlError } from '../../../src/core/index.ts'
import { createGovernor, type GovernorEvent, type Lease } from '../../../src/engine/governor/index.ts'
import { VirtualTime } from './virtual-time.ts'

const ok = { result: 'ok' } as const

function acquireAll(tryAcquire: () => Lease | undefined): Lease[] {
  const leases: Lease[] = []
  for (let lease = tryAcquire(); lease; lease = tryAcquire()) leases.push(lease)
  return leases
}

function limitAfterFailures(code: 'ERR_NET_RESET' | 'ERR_DIGEST_MISMATCH'): number {
  const governor = createGovernor({ clock: new VirtualTime(), limits: { perHost: 10 } })
  for (const lease of acquireAll(() => governor.tryAcquire('a.test'))) {
    lease.release({ result: 'error', error: new TrawlError(code, 'failed') })
  }
  return governor.snapshot().hosts[0]!.limit
}

describe('limits', () => {
  it('never lets more run than a given number per host, and frees room once per release', () => {
    const governor = createGovernor({ clock: new VirtualTime(), limits: { perHost: 3 } })
    const leases = acquireAll(() => governor.tryAcquire('a.test'))
    expect(leases).toHaveLength(3)
    expect(acquireAll(() => governor.tryAcquire('b.test'))).toHaveLength(3)
    leases[0]!.release(ok)
    leases[0]!.release(ok)
    expect(acquireAll(() => governor.tryAcquire('a.test'))).toHaveLength(1)
    expect(governor.snapshot().active).toBe(6)
  })

  it('holds the total over all hosts', () => {
    const governor = createGovernor({ clock: new VirtualTime(), limits: { total: 5, perHost: 3 } })
    const all = ['a.test', 'b.test', 'c.test'].map(
      (host) => acquireAll(() => governor.tryAcquire(host)).length,
    )
    expect(all).toEqual([3, 2, 0])
  })

  it('takes limits of single hosts over the general ones', () => {
    const governor = createGovernor({
      clock: new VirtualTime(),
      limits: { perHost: 3 },
      hostLimits: (host) => (host === 'shy.test' ? { perHost: 1 } : undefined),
    })
    expect(acquireAll(() => governor.tryAcquire('shy.test'))).toHaveLength(1)
    expect(acquireAll(() => governor.tryAcquire('bold.test'))).toHaveLength(3)
  })

  it('takes new limits while running', () => {
    const governor = createGovernor({ clock: new VirtualTime(), limits: { perHost: 4 } })
    const leases = acquireAll(() => governor.tryAcquire('a.test'))
    let told = 0
    governor.onCapacity(() => told++)
    governor.update({ perHost: 2 })
    leases[0]!.release(ok)
    leases[1]!.release(ok)
    expect(governor.tryAcquire('a.test')).toBeUndefined()
    governor.update({ perHost: 6 })
    expect(acquireAll(() => governor.tryAcquire('a.test'))).toHaveLength(4)
    expect(told).toBeGreaterThanOrEqual(2)
  })

  it('tells a refused caller of room, once, and never inside tryAcquire', () => {
    const governor = createGovernor({ clock: new VirtualTime(), limits: { perHost: 2 } })
    const told: (string | undefined)[] = []
    governor.onCapacity((host) => told.push(host))
    const leases = acquireAll(() => governor.tryAcquire('a.test'))
    expect(told).toEqual([])
    leases[0]!.release(ok)
    leases[1]!.release(ok)
    expect(told).toEqual(['a.test'])
  })

  it('halves the total for a minute when the process runs out of something', () => {
    const time = new VirtualTime()
    const governor = createGovernor({ clock: time, limits: { perHost: 16 } })
    governor.onCapacity(() => undefined)
    const leases = acquireAll(() => governor.tryAcquire('a.test'))
    governor.shrinkTotal('EMFILE')
    governor.shrinkTotal('EMFILE')
    for (const lease of leases) lease.release(ok)
    expect(acquireAll(() => governor.tryAcquire('a.test'))).toHaveLength(8)
    let told = 0
    governor.onCapacity(() => told++)
    time.advance(60_001)
    expect(told).toBe(1)
    expect(acquireAll(() => governor.tryAcquire('a.test'))).toHaveLength(8)
  })
})

describe('pauses', () => {
  it('holds a host back at least as long as asked, and tells when it is over', () => {
    const time = new VirtualTime()
    const governor = createGovernor({ clock: time, random: () => 1 })
    const events: GovernorEvent[] = []
    governor.onEvent((event) => events.push(event))
    let toldAtMs = 0
    governor.onCapacity(() => (toldAtMs = time.now()))
    governor.pauseHost('a.test', 2000, 'Retry-After')
    governor.pauseHost('a.test', 500, 'Retry-After')
    expect(governor.tryAcquire('a.test')).toBeUndefined()
    expect(governor.tryAcquire('b.test')).toBeDefined()
    expect(governor.pausedForMs('a.test')).toBeGreaterThanOrEqual(2000)
    time.advance(1999)
    expect(governor.tryAcquire('a.test')).toBeUndefined()
    time.advance(300)
    expect(toldAtMs).toBeGreaterThanOrEqual(2000)
    expect(toldAtMs).toBeLessThanOrEqual(2200)
    expect(governor.tryAcquire('a.test')).toBeDefined()
    expect(events.map((event) => event.type)).toEqual(['paused', 'resumed'])
  })

  it('holds the host back from the very release that speaks of Retry-After', () => {
    const time = new VirtualTime()
    const governor = createGovernor({ clock: time, limits: { perHost: 2 } })
    const leases = acquireAll(() => governor.tryAcquire('a.test'))
    let started = 0
    governor.onCapacity(() => (started += acquireAll(() => governor.tryAcquire('a.test')).length))
    const error = new TrawlError('ERR_HTTP_THROTTLED', 'status 429', { retryAfterMs: 1000 })
    leases[0]!.release({ result: 'throttled', error })
    leases[1]!.release(ok)
    expect(started).toBe(0)
    time.advance(1100)
    expect(started).toBe(1)
  })

  it('obeys no Retry-After beyond the longest allowed', () => {
    const time = new VirtualTime()
    const governor = createGovernor({ clock: time, maxRetryAfterMs: 5000 })
    const error = new TrawlError('ERR_HTTP_THROTTLED', 'status 429', { retryAfterMs: 86_400_000 })
    governor.tryAcquire('a.test')?.release({ result: 'throttled', error })
    expect(governor.pausedForMs('a.test')).toBeGreaterThanOrEqual(5000)
    expect(governor.pausedForMs('a.test')).toBeLessThanOrEqual(5500)
  })

  it('sets no timer when nobody was refused or nobody listens', () => {
    const time = new VirtualTime()
    const governor = createGovernor({ clock: time })
    governor.pauseHost('a.test', 3_600_000, 'Retry-After')
    expect(time.pending).toBe(0)
    governor.tryAcquire('a.test')
    expect(time.pending).toBe(0)
    const stop = governor.onCapacity(() => undefined)
    governor.tryAcquire('a.test')
    expect(time.pending).toBe(1)
    stop()
    expect(time.pending).toBe(0)
  })

  it('spaces the starts of requests to one host', () => {
    const time = new VirtualTime()
    const governor = createGovernor({ clock: time, limits: { requestSpacingMs: 100 } })
    const startsMs: number[] = []
    const start = (): void => {
      const lease = governor.tryAcquire('a.test')
      if (!lease) return
      startsMs.push(time.now())
      lease.release(ok)
      start()
    }
    governor.onCapacity(start)
    start()
    time.advance(450)
    expect(startsMs).toEqual([0, 100, 200, 300, 400])
  })
})

describe('brakes', () => {
  it('cuts once for all refusals of requests in flight, and returns to what the host bore', () => {
    const time = new VirtualTime()
    const governor = createGovernor({ clock: time, limits: { perHost: 16 } })
    const leases = acquireAll(() => governor.tryAcquire('a.test'))
    for (const lease of leases.slice(12)) lease.release({ result: 'throttled' })
    expect(governor.snapshot().hosts[0]!.limit).toBe(8)
    for (const lease of leases.slice(0, 12)) lease.release(ok)
    for (let round = 0; round < 20; round++) {
      time.advance(50)
      for (const lease of acquireAll(() => governor.tryAcquire('a.test'))) lease.release(ok)
    }
    expect(governor.snapshot().hosts[0]!.limit).toBe(11)
    expect(governor.learned()).toEqual([
      { host: 'a.test', ceiling: 11, atWallMs: expect.closeTo(1_700_000_000_000, -4) },
    ])
  })

  it('starts below a ceiling of an earlier run', () => {
    const time = new VirtualTime()
    const memory = [{ host: 'a.test', ceiling: 3, atWallMs: time.wallMs() - 60_000 }]
    const governor = createGovernor({ clock: time, memory })
    expect(acquireAll(() => governor.tryAcquire('a.test'))).toHaveLength(3)
    expect(governor.learned()).toEqual(memory)
  })

  it('holds a host back by itself when it refuses again and again and serves nothing', () => {
    const time = new VirtualTime()
    const governor = createGovernor({ clock: time })
    let asked = 0
    const ask = (): void => {
      for (let lease = governor.tryAcquire('a.test'); lease; lease = governor.tryAcquire('a.test')) {
        asked++
        const mine = lease
        time.after(10, () => {
          mine.release({ result: 'throttled' })
          ask()
        })
      }
    }
    governor.onCapacity(ask)
    ask()
    time.advance(60_000)
    expect(asked).toBeLessThan(30)
  })

  it('counts failures of connections against the host, and those of files or disks not', () => {
    expect(limitAfterFailures('ERR_NET_RESET')).toBeLessThan(8)
    expect(limitAfterFailures('ERR_DIGEST_MISMATCH')).toBe(10)
  })
})

describe('many hosts', () => {
  it('forgets idle hosts, but neither the busy nor what was learned', () => {
    const governor = createGovernor({ clock: new VirtualTime(), limits: { perHost: 8 } })
    const busy = governor.tryAcquire('busy.test')
    const shy = acquireAll(() => governor.tryAcquire('shy.test'))
    for (const lease of shy.slice(6)) lease.release({ result: 'throttled' })
    for (const lease of shy.slice(0, 6)) lease.release(ok)
    for (let index = 0; index < 30_000; index++) governor.tryAcquire(`h${index}.test`)?.release(ok)
    const hosts = governor.snapshot().hosts.map((entry) => entry.host)
    expect(hosts.length).toBeLessThanOrEqual(10_001)
    expect(hosts).toContain('busy.test')
    expect(hosts).not.toContain('shy.test')
    expect(governor.learned().map((entry) => entry.host)).toContain('shy.test')
    busy?.release(ok)
    expect(governor.snapshot().active).toBe(0)
  })
})

describe('budget', () => {
  it('runs no more than was granted, and gives back what it does not use', () => {
    let left = 5
    const budget = {
      grant: (_host: string, count: number): number => {
        const given = Math.min(left, count)
        left -= given
        return given
      },
      giveBack: (_host: string, count: number): void => void (left += count),
    }
    const governor = createGovernor({ clock: new VirtualTime(), limits: { perHost: 8 }, budget })
    const leases = acquireAll(() => governor.tryAcquire('a.test'))
    expect(leases).toHaveLength(5)
    for (const lease of leases) lease.release(ok)
    expect(left).toBe(5)
    governor.tryAcquire('a.test')
    governor.close()
    expect(left).toBe(5)
  })
})
