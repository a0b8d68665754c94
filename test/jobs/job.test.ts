import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import {
  TrawlError,
  type DownloadEvent,
  type DownloadEventBody,
  type JobContext,
  type JobKind,
  type JobStats,
  type JobWork,
  type Outcome,
} from '../../src/core/index.ts'
import { EventLog, startJob } from '../../src/jobs/index.ts'

const stats = (change: Partial<JobStats> = {}): JobStats => ({
  planned: 0,
  ok: 0,
  skipped: 0,
  failed: 0,
  unfinished: 0,
  sizeBytes: 0,
  fetchedBytes: 0,
  durationMs: 0,
  meanSpeedBps: 0,
  retries: 0,
  failures: {},
  ...change,
})

/** A kind of job whose end the test decides, and that notes what it is asked. */
function fakeKind(options: { readonly starts?: Promise<void>; readonly stats?: JobStats } = {}) {
  const asked: string[] = []
  let finish = (): void => {}
  let fail = (_error: unknown): void => {}
  const done = new Promise<void>((resolve, reject) => {
    finish = resolve
    fail = reject
  })
  done.catch(() => {})
  let context: JobContext | undefined
  const work: JobWork = {
    done,
    progress: () => {
      throw new Error('not asked')
    },
    activeItems: () => [],
    stats: () => options.stats ?? stats(),
    async *items() {
      yield { id: 'x' } as Outcome
    },
    drain: () => {
      asked.push('drain')
      finish()
    },
    pause: (which) => void asked.push(`pause ${which?.host ?? 'all'}`),
    resume: (which) => void asked.push(`resume ${which?.host ?? 'all'}`),
    cancel: (which) => void asked.push(`cancel ${which.id ?? which.host}`),
    update: (limits) => void asked.push(`update ${limits.concurrency}`),
  }
  const kind: JobKind<undefined> = {
    name: 'fake',
    async run(_spec, given) {
      asked.push('run')
      context = given
      given.signal.addEventListener('abort', () => fail(given.signal.reason))
      await options.starts
      return work
    },
  }
  return {
    kind,
    asked,
    finish: () => finish(),
    fail: (error: unknown) => fail(error),
    emit: (event: DownloadEventBody) => context?.emit(event),
  }
}

const start = (fake: ReturnType<typeof fakeKind>, signal?: AbortSignal) =>
  startJob(fake.kind, undefined, { id: 'job-1', ...(signal ? { signal } : {}) })

describe('how a job ends', () => {
  test.each([
    ['done', stats({ planned: 1, ok: 1 })],
    ['partial', stats({ planned: 2, ok: 1, failed: 1 })],
    ['partial', stats({ planned: 2, ok: 1, unfinished: 1 })],
  ])('%s', async (status, sums) => {
    const fake = fakeKind({ stats: sums })
    const job = start(fake)
    expect(job.status).toBe('running')
    fake.finish()
    expect(await job.result).toEqual({ status, stats: sums })
    expect(job.status).toBe(status)
  })

  test('failed, with the error as data; the result never rejects', async () => {
    const fake = fakeKind()
    const job = start(fake)
    fake.fail(new TrawlError('ERR_NO_SPACE', 'full'))
    expect(await job.result).toMatchObject({
      status: 'failed',
      error: { code: 'ERR_NO_SPACE', message: 'full' },
    })
  })

  test('a kind that cannot start is a failed job', async () => {
    for (const run of [
      () => Promise.reject(new TrawlError('ERR_LOCKED', 'taken')),
      (): never => {
        throw new TrawlError('ERR_LOCKED', 'taken')
      },
    ]) {
      const job = startJob({ name: 'fake', run }, undefined, { id: 'x' })
      expect(await job.result).toMatchObject({
        status: 'failed',
        error: { code: 'ERR_LOCKED' },
        stats: stats(),
      })
      expect(await Array.fromAsync(job.items())).toEqual([])
    }
  })

  test('cancelled, by the handle or from outside', async () => {
    const byHandle = start(fakeKind())
    await byHandle.cancel()
    expect(await byHandle.result).toEqual({ status: 'cancelled', stats: stats() })
    const stop = new AbortController()
    const fromOutside = start(fakeKind(), stop.signal)
    await sleep(1)
    stop.abort()
    expect((await fromOutside.result).status).toBe('cancelled')
  })

  test('work that says it was cancelled is cancelled, whoever asked', async () => {
    const fake = fakeKind()
    const job = start(fake)
    fake.fail(new TrawlError('ERR_CANCELLED', 'the connections were closed'))
    expect(await job.result).toEqual({ status: 'cancelled', stats: stats() })
  })

  test('cancelled before it started: nothing is opened', async () => {
    for (const how of ['cancel', 'drain', 'signal'] as const) {
      const fake = fakeKind()
      const job = start(fake, how === 'signal' ? AbortSignal.abort() : undefined)
      if (how !== 'signal') void job.cancel({ drain: how === 'drain' })
      expect((await job.result).status).toBe('cancelled')
      expect(fake.asked).toEqual([])
    }
  })

  test('leaving the block cancels and waits', async () => {
    const fake = fakeKind()
    let kept
    {
      await using job = start(fake)
      kept = job
      await sleep(1)
    }
    expect(kept.status).toBe('cancelled')
  })
})

describe('what a job is asked', () => {
  test('reaches the work', async () => {
    const fake = fakeKind()
    const job = start(fake)
    await sleep(1)
    job.pause()
    expect(job.status).toBe('paused')
    job.pause({ host: 'h' })
    job.resume({ host: 'h' })
    expect(job.status).toBe('paused')
    job.resume()
    expect(job.status).toBe('running')
    job.update({ concurrency: 7 })
    await job.cancel({ id: 'x' })
    expect(job.status).toBe('running')
    await job.cancel({ drain: true })
    expect(fake.asked).toEqual([
      'run',
      'pause all',
      'pause h',
      'resume h',
      'resume all',
      'update 7',
      'cancel x',
      'drain',
    ])
    expect(job.status).toBe('cancelled')
  })

  test('while it is starting is not lost', async () => {
    let started = (): void => {}
    const starts = new Promise<void>((resolve) => (started = resolve))
    const fake = fakeKind({ starts })
    const job = start(fake)
    await sleep(1)
    job.pause()
    job.update({ concurrency: 3 })
    job.resume()
    const drained = job.cancel({ drain: true })
    expect(fake.asked).toEqual(['run'])
    started()
    await drained
    expect(fake.asked).toEqual(['run', 'pause all', 'update 3', 'resume all', 'drain'])
  })

  test('after its end changes nothing', async () => {
    const fake = fakeKind()
    const job = start(fake)
    fake.finish()
    await job.result
    await job.cancel()
    job.pause()
    expect(job.status).toBe('done')
  })
})

describe('the events of a job', () => {
  test('from the first to the last, numbered', async () => {
    const fake = fakeKind()
    const job = start(fake)
    const read = Array.fromAsync(job)
    await sleep(1)
    fake.emit({ type: 'job.notice', message: 'hello' })
    fake.finish()
    const events = await read
    expect(events.map((event) => event.type)).toEqual(['job.started', 'job.notice', 'job.finished'])
    expect(events.map((event) => event.seq)).toEqual([1, 2, 3])
    expect(events[0]).toMatchObject({ jobId: 'job-1', kind: 'fake' })
    for (const event of events) expect(event.atMs).toBeGreaterThanOrEqual(0)
  })

  test('a reader that comes late gets the end', async () => {
    const fake = fakeKind()
    const job = start(fake)
    fake.finish()
    await job.result
    expect((await Array.fromAsync(job)).map((event) => event.type)).toEqual(['job.finished'])
  })

  test('a reader may leave, and others go on', async () => {
    const fake = fakeKind()
    const job = start(fake)
    const all = Array.fromAsync(job)
    for await (const event of job) {
      expect(event.type).toBe('job.started')
      break
    }
    fake.finish()
    expect((await all).length).toBe(2)
  })
})

describe('an event log', () => {
  const notice = (n: number): DownloadEventBody => ({ type: 'job.notice', message: String(n) })
  const started = (n: number): DownloadEventBody => ({
    type: 'task.started',
    id: String(n),
    ordinal: n,
    input: '',
  })
  const end: DownloadEventBody = { type: 'job.finished', status: 'done', stats: stats() }

  test('drops item events of a slow reader, tells how many, and never drops others', async () => {
    const log = new EventLog(() => 0)
    const reader = log.read()
    const first = reader.next()
    for (let n = 0; n < 5000; n++) log.emit(n % 10 === 0 ? notice(n) : started(n))
    log.emit(end)
    const events: DownloadEvent[] = []
    const { value } = await first
    if (value) events.push(value)
    for await (const event of reader) events.push(event)
    const of = (type: string): number => events.filter((event) => event.type === type).length
    expect(of('job.notice')).toBe(500)
    expect(of('task.started')).toBe(1000)
    expect(events.find((event) => event.type === 'gap')).toMatchObject({ missed: 3500 })
    expect(events.at(-1)?.type).toBe('job.finished')
  })

  test('a gap is told while the job goes on', async () => {
    const log = new EventLog(() => 0)
    const reader = log.read()
    const first = reader.next()
    for (let n = 0; n < 1500; n++) log.emit(started(n))
    const seen = [(await first).value]
    while (seen.at(-1)?.type !== 'gap') seen.push((await reader.next()).value ?? undefined)
    expect(seen.at(-1)).toMatchObject({ type: 'gap', missed: 500 })
    log.emit(end)
    expect((await reader.next()).value?.type).toBe('job.finished')
  })

  test('keeps nothing for nobody, and knows who reads items', () => {
    const log = new EventLog(() => 0)
    expect(log.itemsAreRead).toBe(false)
    const stop = log.listen(() => {}, { items: false })
    expect(log.itemsAreRead).toBe(false)
    const stopItems = log.listen(() => {})
    expect(log.itemsAreRead).toBe(true)
    stopItems()
    stop()
    expect(log.itemsAreRead).toBe(false)
  })

  test('a listener that throws harms neither the job nor the other listeners', async () => {
    const log = new EventLog(() => 0)
    const thrown: unknown[] = []
    const before = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => thrown.push(error))
    const heard: string[] = []
    try {
      log.listen(() => {
        throw new Error('mine')
      })
      log.listen((event) => heard.push(event.type))
      log.emit(notice(1))
      await sleep(1)
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const listen of before) process.on('uncaughtException', listen)
    }
    expect(heard).toEqual(['job.notice'])
    expect(thrown).toMatchObject([{ message: 'mine' }])
  })
})
