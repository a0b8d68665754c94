import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createBaseTransport, type Transport, type TransportRequest } from '../../src/http/index.ts'
import {
  body,
  createFaultOrigin,
  faults,
  respond,
  withFaults,
  type FaultOrigin,
} from '../../src/testing/index.ts'

let origin: FaultOrigin
let transport: Transport
beforeEach(async () => {
  origin = await createFaultOrigin()
  transport = createBaseTransport()
})
afterEach(async () => {
  await transport.destroy()
  await origin.close()
})

const file = body('/f', 20_000)
const good = respond.withRange(file)

async function fetchSize(path: string, more: Partial<TransportRequest> = {}): Promise<number> {
  const response = await transport.send({ method: 'GET', url: origin.url + path, headers: {}, ...more })
  let size = 0
  await response.body.drain((chunk) => void (size += chunk.length))
  return size
}

describe('connections', () => {
  test('are used again, one after the other', async () => {
    origin.route('/f', good)
    for (let i = 0; i < 20; i++) expect(await fetchSize('/f')).toBe(20_000)
    expect(origin.connections).toBe(1)
  })

  test('are as many as requests at one time', async () => {
    origin.route('/f', withFaults(good, faults.latency(100)))
    await Promise.all(Array.from({ length: 5 }, () => fetchSize('/f')))
    await Promise.all(Array.from({ length: 5 }, () => fetchSize('/f')))
    expect(origin.connections).toBe(5)
  })

  test('survive the cancelling of a short body, and of an undrained one that is all there', async () => {
    origin.route('/f', good)
    for (let i = 0; i < 5; i++) {
      const response = await transport.send({ method: 'GET', url: `${origin.url}/f`, headers: {} })
      response.body.cancel()
      await vi.waitFor(async () => expect(await fetchSize('/f')).toBe(20_000))
    }
    expect(origin.connections).toBeLessThanOrEqual(2)
  })

  test('are not used after the server said close', async () => {
    origin.route('/f', withFaults(good, faults.closeAfter()))
    for (let i = 0; i < 3; i++) expect(await fetchSize('/f')).toBe(20_000)
    expect(origin.connections).toBe(3)
  })

  test('close by themselves when idle', async () => {
    await transport.destroy()
    transport = createBaseTransport({ keepAliveMs: 50 })
    origin.route('/f', good)
    await fetchSize('/f')
    await vi.waitFor(() => expect(origin.openConnections).toBe(0), 5000)
    expect(await fetchSize('/f')).toBe(20_000)
    expect(origin.connections).toBe(2)
  })

  test('that are idle close when descriptors are short', async () => {
    origin.route('/f', good)
    await Promise.all([fetchSize('/f'), fetchSize('/f')])
    transport.closeIdle()
    await vi.waitFor(() => expect(origin.openConnections).toBe(0), 5000)
    expect(await fetchSize('/f')).toBe(20_000)
  })

  test('all close with the transport', async () => {
    origin.route('/f', good)
    await Promise.all([fetchSize('/f'), fetchSize('/f')])
    await transport.close()
    await vi.waitFor(() => expect(origin.openConnections).toBe(0), 5000)
  })

  test('a request that was given up while connecting leaves none behind', async () => {
    origin.route('/f', good)
    const stop = new AbortController()
    const answer = transport.send(
      { method: 'GET', url: `${origin.url}/f`, headers: {} },
      { signal: stop.signal },
    )
    stop.abort()
    await expect(answer).rejects.toMatchObject({ code: 'ERR_CANCELLED' })
    await sleep(50)
    expect(origin.openConnections).toBe(0)
    expect(await fetchSize('/f')).toBe(20_000)
  })

  test('idle ones do not hold a process open', async () => {
    origin.route('/f', good)
    const script = `
      import { createBaseTransport } from ${JSON.stringify(new URL('../../src/http/index.ts', import.meta.url).href)}
      const transport = createBaseTransport({ keepAliveMs: 600_000 })
      const response = await transport.send({ method: 'GET', url: '${origin.url}/f', headers: {} })
      console.log(await response.body.drain(() => {}))`
    const child = spawn('node', ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    const [exitCode] = await once(child, 'exit')
    expect([exitCode, output.trim()]).toEqual([0, 'end'])
  })
})

describe('a kept-alive connection that died unnoticed', () => {
  const dying = withFaults(
    good,
    faults.when(
      (request) => request.connection === 1 && request.count > 1,
      faults.instead(respond.hangUp('rst')),
    ),
  )

  test.each(['GET', 'HEAD'] as const)('%s is sent once more, on a fresh connection', async (method) => {
    origin.route('/f', dying)
    await fetchSize('/f')
    expect(await fetchSize('/f', { method })).toBe(method === 'GET' ? 20_000 : 0)
    expect(origin.requests.map(({ connection }) => connection)).toEqual([1, 1, 2])
  })

  test('POST is not', async () => {
    origin.route('/f', dying)
    await fetchSize('/f')
    await expect(fetchSize('/f', { method: 'POST', body: 'x' })).rejects.toMatchObject({
      code: 'ERR_NET_RESET',
    })
    expect(origin.requests).toHaveLength(2)
  })

  test('nor what breaks on a fresh connection, or twice', async () => {
    origin.route('/f', good)
    origin.route('/bad', respond.hangUp('rst'))
    await expect(fetchSize('/bad')).rejects.toMatchObject({ code: 'ERR_NET_RESET' })
    expect(origin.requests).toHaveLength(1)
    await fetchSize('/f')
    await expect(fetchSize('/bad')).rejects.toMatchObject({ code: 'ERR_NET_RESET' })
    expect(origin.requests).toHaveLength(4)
  })

  test('nor what broke after the first byte of an answer', async () => {
    origin.route('/f', good)
    origin.route('/half', respond.garbage('HTTP/1.1 200 OK\r\nContent-Le'))
    await fetchSize('/f')
    await expect(fetchSize('/half')).rejects.toMatchObject({ code: 'ERR_NET_RESET' })
    expect(origin.requests).toHaveLength(2)
  })

  test('a server that was restarted is reached again without an error', async () => {
    origin.route('/f', good)
    await Promise.all(Array.from({ length: 4 }, () => fetchSize('/f')))
    origin.breakConnections()
    const sizes = await Promise.all(Array.from({ length: 4 }, () => fetchSize('/f')))
    expect(sizes).toEqual([20_000, 20_000, 20_000, 20_000])
  })
})

describe('errors', () => {
  test('a refused connection names host and port', async () => {
    origin.route('/f', good)
    await origin.refuse()
    await expect(fetchSize('/f')).rejects.toMatchObject({
      code: 'ERR_NET_CONNECT',
      scope: 'host',
      message: `127.0.0.1:${origin.port}: refused`,
    })
    await origin.accept()
    expect(await fetchSize('/f')).toBe(20_000)
  })

  test('a header that cannot be sent is the fault of the input', async () => {
    for (const headers of [
      { 'x-bad': 'a\r\nb: c' },
      { 'bad name': 'x' },
      { 'transfer-encoding': 'chunked' },
    ]) {
      await expect(fetchSize('/f', { headers })).rejects.toMatchObject({ code: 'ERR_INPUT_INVALID' })
    }
    expect(origin.requests).toHaveLength(0)
  })

  test('values of headers are sent as UTF-8', async () => {
    origin.route('/f', good)
    await fetchSize('/f', { headers: { 'x-name': 'ä € 日本' } })
    const sent = origin.requests[0]?.headers['x-name'] ?? ''
    expect(Buffer.from(sent, 'latin1').toString('utf8')).toBe('ä € 日本')
  })

  test('messages carry no secrets of the URL', async () => {
    origin.route('/f', withFaults(good, faults.shortBy(1)))
    const failure = fetchSize('/f?X-Amz-Signature=0123456789abcdef&token=verysecret')
    await expect(failure).rejects.toMatchObject({
      message: expect.not.stringMatching(/verysecret|0123456789abcdef/),
    })
  })
})

test('nothing of undici is loaded for plain HTTP', () => {
  const { cache } = createRequire(import.meta.url)
  expect(Object.keys(cache).filter((path) => path.includes('/node_modules/undici/'))).toEqual([])
})
