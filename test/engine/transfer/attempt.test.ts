import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { systemClock, TrawlError } from '../../../src/core/index.ts'
import { HostQuirks } from '../../../src/engine/segments/host-quirks.ts'
import { UnsavedBytes } from '../../../src/engine/segments/unsaved-bytes.ts'
import { Attempt } from '../../../src/engine/transfer/attempt.ts'
import type {
  EntityVerdict,
  PatientCallbacks,
  TransferOrder,
  TransferResult,
} from '../../../src/engine/transfer/transfer.ts'
import { MemorySink } from '../../../src/storage/index.ts'
import { task } from '../engine-case.ts'

test('one that goes on and is stopped before it knows where its bytes go asks for nothing any more', async () => {
  let answer: (verdict: EntityVerdict) => void = () => {}
  const callbacks: PatientCallbacks = {
    entity: () => new Promise((resolve) => (answer = resolve)),
    acquire: () => undefined,
    onCapacity: () => () => {},
    connections: () => {},
    received: () => 0,
    checkpoint: () => {},
    notice: () => {},
  }
  const wanted = task('http://h.example/a.bin')
  const order: TransferOrder = {
    task: wanted,
    places: [{ url: 'http://h.example/a.bin' }],
    mirrored: false,
    attempt: 0,
    kept: { generation: 1, extents: [{ start: 0, end: 1000 }], lengthBytes: 3_000_000, validators: {} },
    split: undefined,
    transfer: undefined,
  }
  let sent = 0
  let released = 0
  const results: TransferResult[] = []
  const attempt = new Attempt(
    {
      transport: {
        send: () => {
          sent++
          return Promise.reject(new TrawlError('ERR_NET_CONNECT', 'nobody is here'))
        },
        closeIdle: () => {},
        close: () => Promise.resolve(),
        destroy: () => Promise.resolve(),
      },
      clock: systemClock,
      signal: new AbortController().signal,
      quirks: new HostQuirks(),
      unsaved: new UnsavedBytes(systemClock),
    },
    order,
    { host: 'h.example', headers: () => {}, bytes: () => {}, release: () => void released++ },
    callbacks,
    (result) => results.push(result),
  )
  attempt.start()
  attempt.stop(new TrawlError('ERR_CANCELLED', 'paused'))
  expect(results).toMatchObject([{ result: 'failed', error: { code: 'ERR_CANCELLED' } }])
  answer({ verdict: 'go', sink: new MemorySink() })
  for (let turns = 0; turns < 5; turns++) await turn()
  expect([sent, released]).toEqual([0, 1])
})
