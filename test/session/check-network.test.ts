import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { createTrawl, type TrawlOptions } from '../../src/session/index.ts'
import { createFaultOrigin } from '../../src/testing/index.ts'
import { makeCertificate } from '../http/servers/test-certificate.ts'
import { tempFolders } from '../storage/temp-folder.ts'

const newFolder = tempFolders()
let dir: string
beforeAll(() => {
  dir = newFolder()
  const [mine, other] = [makeCertificate(), makeCertificate('other.test')]
  writeFileSync(join(dir, 'cert.pem'), mine.cert)
  writeFileSync(join(dir, 'key.pem'), mine.key)
  writeFileSync(join(dir, 'both.pem'), mine.cert + mine.key)
  writeFileSync(join(dir, 'other-key.pem'), other.key)
  writeFileSync(join(dir, 'broken.pem'), mine.cert.replace(/\n.{20}/, '\nAAAA'))
  writeFileSync(join(dir, 'text'), 'me:secret\n')
  mkdirSync(join(dir, 'folder'))
})

/** How the job ends, and what was asked for on the way. */
async function run(options: TrawlOptions): Promise<{ code: string; message: string; requests: number }> {
  await using origin = await createFaultOrigin()
  await using trawl = await createTrawl(options)
  const { error } = await trawl.get([`${origin.url}/a`, `${origin.url}/b`], { dir: newFolder() }).result
  return { code: error?.code ?? 'none', message: error?.message ?? '', requests: origin.requests.length }
}

describe('what would fail every request is told once, before the first one', () => {
  test.each<[string, (at: (name: string) => string) => TrawlOptions, string]>([
    ['no such interface', () => ({ interface: 'nosuch0' }), '--interface: no address'],
    ['an address of another machine', () => ({ interface: '203.0.113.7' }), '--interface: this machine'],
    ['no authority', (at) => ({ caCertificate: at('text') }), '--ca-certificate: '],
    ['a broken authority', (at) => ({ caCertificate: at('broken.pem') }), '--ca-certificate: certificate 1'],
    ['no client certificate', (at) => ({ clientCertificate: at('text') }), '--client-certificate: '],
    ['no key beside it', (at) => ({ clientCertificate: at('cert.pem') }), 'give --client-key'],
    [
      'a key that is none',
      (at) => ({ clientCertificate: at('cert.pem'), clientKey: at('text') }),
      '--client-key: ',
    ],
    [
      'the key of another',
      (at) => ({ clientCertificate: at('cert.pem'), clientKey: at('other-key.pem') }),
      'does not belong',
    ],
  ])('%s', async (_name, options, message) => {
    expect(await run(options((name) => join(dir, name)))).toEqual({
      code: 'ERR_CONFIG_INVALID',
      message: expect.stringContaining(message),
      requests: 0,
    })
  })

  test.each(['no-folder/jar.txt', 'folder', 'text/jar.txt'])('cookies cannot be saved: %s', async (name) => {
    expect(await run({ saveCookies: join(dir, name) })).toMatchObject({ code: 'ERR_IO', requests: 0 })
  })

  test.each<[string, (at: (name: string) => string) => TrawlOptions]>([
    ['an interface', () => ({ interface: 'lo' })],
    ['any address of the loopback', () => ({ interface: '127.0.0.9' })],
    ['an authority', (at) => ({ caCertificate: at('cert.pem') })],
    ['a certificate with its key', (at) => ({ clientCertificate: at('both.pem') })],
    ['a certificate and its key', (at) => ({ clientCertificate: at('cert.pem'), clientKey: at('key.pem') })],
    ['a place for cookies', (at) => ({ saveCookies: at('jar.txt') })],
  ])('good: %s', async (_name, options) => {
    expect(await run(options((name) => join(dir, name)))).toMatchObject({ code: 'none', requests: 2 })
  })
})
