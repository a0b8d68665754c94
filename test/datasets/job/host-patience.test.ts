import { expect, test } from 'vitest'
import { TrawlError, type Clock } from '../../../src/core/index.ts'
import { HostPatience } from '../../../src/datasets/job/host-patience.ts'
import type { Send } from '../../../src/http/index.ts'

/** A host whose answers are scripted, asked at given seconds; gives the error codes, `/` before those that are final. */
async function asked(script: readonly (readonly [atSeconds: number, outcome: 'ok' | 'timeout'])[]) {
  let nowMs = 0
  const clock: Clock = { now: () => nowMs, wallMs: () => nowMs, after: () => () => {} }
  const patience = new HostPatience({ patienceMs: 60_000, clock })
  let sent = 0
  const send = patience.intercept((async () => {
    sent++
    if (script[at]?.[1] === 'timeout') throw new TrawlError('ERR_NET_TIMEOUT', 'no answer in time')
    return { status: 404, headers: {}, url: 'http://a.example/', body: {} }
  }) as unknown as Send)
  let at = 0
  const results: string[] = []
  for (; at < script.length; at++) {
    nowMs = (script[at]?.[0] ?? 0) * 1000
    const before = sent
    const result = await send({ method: 'GET', url: 'http://a.example/x', headers: {} }).then(
      () => 'ok',
      (error: TrawlError) => (error.retry === 'never' ? 'final' : 'again'),
    )
    results.push(sent === before ? `${result}, not asked` : result)
  }
  return results
}

test('a host that is silent for long enough is not asked for as long again, then once', async () => {
  expect(
    await asked([
      ...[0, 12, 24, 36, 48, 59, 61].map((second) => [second, 'timeout'] as const),
      ...[62, 120, 122, 123, 183].map((second) => [second, 'timeout'] as const),
      [184, 'ok'],
      [244, 'ok'],
      [245, 'timeout'],
    ]),
  ).toEqual([
    ...Array.from({ length: 6 }, () => 'again'),
    'final',
    'final, not asked',
    'final, not asked',
    'final',
    'final, not asked',
    'final',
    'final, not asked',
    'ok',
    'again',
  ])
})

test('an answer, a long gap and few failures are no silence', async () => {
  const often = [0, 12, 24, 36, 48].map((second) => [second, 'timeout'] as const)
  expect(await asked([...often, [50, 'ok'], [70, 'timeout']])).not.toContain('final')
  expect(await asked([...often, [49, 'timeout'], [200, 'timeout']])).not.toContain('final')
  expect(
    await asked([
      [0, 'timeout'],
      [50, 'timeout'],
      [100, 'timeout'],
    ]),
  ).not.toContain('final')
})
