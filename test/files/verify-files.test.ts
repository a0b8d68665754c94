import { createHash } from 'node:crypto'
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { body } from '../../src/testing/index.ts'
import { runCli } from '../cli/run-cli.ts'
import { startNginx } from '../nginx.ts'
import { describeWith } from '../programs.ts'
import { tempFolders } from '../storage/temp-folder.ts'

const newFolder = tempFolders()
const names = ['a.bin', 'b.bin', 'c.bin', 'd.bin']

describeWith(['nginx'], 'files from nginx, with Digest fields, checked by the command line', () => {
  test('each harm is found and named; the rest is right', async () => {
    const bytes = body('x', 1_500_000).bytes()
    const digest = createHash('sha256').update(bytes).digest()
    const field = `add_header Repr-Digest "sha-256=:${digest.toString('base64')}:";`
    await using nginx = await startNginx([field, ''])
    const [url] = nginx.urls
    for (const name of names) writeFileSync(join(nginx.www, name), bytes)
    const dir = newFolder()
    const report = join(newFolder(), 'report.jsonl')
    const got = await runCli(['get', `${url}/[a-d].bin`, '-d', dir, '--report', report])
    expect([got.code, got.stderr]).toEqual([0, expect.not.stringContaining('failed:')])
    const lines = readFileSync(report, 'utf8').trim().split('\n')
    for (const line of lines) expect(line).toContain(`"digest":"sha-256=${digest.toString('hex')}"`)

    const good = await runCli(['verify', dir, '--verbose'])
    expect(good.code).toBe(0)
    expect(good.stdout.toString()).toContain('length, CRC-32 and sha-256')
    expect(good.stdout.toString()).toContain('4 checked, 0 faults')

    const flipped = Buffer.from(bytes)
    flipped.writeUInt8(flipped.readUInt8(700_000) ^ 1, 700_000)
    writeFileSync(join(dir, 'a.bin'), flipped)
    appendFileSync(join(dir, 'b.bin'), 'x')
    rmSync(join(dir, 'c.bin'))
    const bad = await runCli(['verify', dir])
    expect(bad.code).toBe(4)
    expect(bad.stderr).toMatch(/a\.bin: other bytes than were downloaded/)
    expect(bad.stderr).toMatch(/b\.bin: 1500001 bytes instead of 1500000/)
    expect(bad.stderr).toMatch(/c\.bin/)
    expect(bad.stderr).not.toMatch(/d\.bin/)
    const one = await runCli(['verify', join(dir, 'd.bin')])
    expect([one.code, one.stdout.toString()]).toEqual([0, '1 checked, 0 faults\n'])
  }, 90_000)

  test('a wrong field, a wrong --checksum, and --digest', async () => {
    const bytes = body('x', 40_000).bytes()
    const wrong = Buffer.alloc(32).toString('base64')
    await using nginx = await startNginx([`add_header Digest "SHA-256=${wrong}";`, ''])
    writeFileSync(join(nginx.www, 'f.bin'), bytes)
    const fast = ['--retries', '0']
    const dir = newFolder()
    const lying = await runCli(['get', `${nginx.urls[0]}/f.bin`, '-d', dir, ...fast])
    expect(lying.code).toBe(1)
    expect(lying.stderr).toContain(`the server announced ${'0'.repeat(64)}`)
    const value = createHash('md5').update(bytes).digest('hex')
    const other = await runCli([
      'get',
      `${nginx.urls[1]}/f.bin`,
      '-d',
      dir,
      '--checksum',
      `md5=${'1'.repeat(32)}`,
      ...fast,
    ])
    expect(other.code).toBe(1)
    expect(other.stderr).toContain(`md5 is ${value}, expected ${'1'.repeat(32)}`)
    const senseless = await runCli(['get', `${nginx.urls[1]}/f.bin`, '-d', dir, '--checksum', 'md5=12'])
    expect(senseless.code).toBe(2)
    const asked = await runCli(['get', `${nginx.urls[1]}/f.bin`, '-d', dir, '--digest', 'crc32c', '--json'])
    expect(asked.code).toBe(0)
    expect(asked.stdout.toString()).toMatch(/"digest":\{"algorithm":"crc32c","value":"[0-9a-f]{8}"\}/)
  }, 90_000)
})

describe('a folder without records', () => {
  test('is told as such', async () => {
    const end = await runCli(['verify', newFolder()])
    expect(end.code).toBe(2)
    expect(end.stderr).toContain('there are no records of trawl')
  })
})
