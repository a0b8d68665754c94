import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { isTrawlError } from '../../../src/core/index.ts'
import { createTarWriter, openTar } from '../../../src/pack/index.ts'
import { describeWith } from '../../programs.ts'

const dir = mkdtempSync(join(tmpdir(), 'trawl-tar-'))
afterAll(() => rmSync(dir, { recursive: true }))

const members: readonly (readonly [string, Uint8Array])[] = [
  ['000000000.jpg', Buffer.alloc(1700, 7)],
  ['000000000.json', Buffer.from('{"key":"000000000"}')],
  ['empty.txt', Buffer.alloc(0)],
  ['block.bin', Buffer.alloc(512, 1)],
  ['grüße/日本.txt', Buffer.from('x')],
  [`${'d'.repeat(80)}/${'n'.repeat(90)}.jpg`, Buffer.from('split at a slash')],
  [`${'long'.repeat(60)}.jpg`, Buffer.from('pax')],
  ['large.bin', Buffer.alloc(1_300_000, 3)],
]

function write(path: string, list: readonly (readonly [string, Uint8Array])[], append = false): number[] {
  const writer = createTarWriter({ path, append })
  const offsets = list.map(([name, bytes]) => writer.addMember(name, bytes))
  expect(writer.finish().sizeBytes).toBe(statSync(path).size)
  return offsets
}

function readAll(path: string): [string, string][] {
  const tar = openTar(path)
  try {
    return [...tar.members()].map((member) => [member.name, tar.read(member).toString('hex')])
  } finally {
    tar.close()
  }
}

const asHex = (list: readonly (readonly [string, Uint8Array])[]) =>
  list.map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')])

describe('tar', () => {
  it('gives back names and bytes in order, and offsets that point at the bytes', () => {
    const path = join(dir, 'a.tar')
    const offsets = write(path, members)
    expect(readAll(path)).toEqual(asHex(members))
    const bytes = readFileSync(path)
    members.forEach(([, body], i) => {
      const at = offsets[i] ?? -1
      expect(bytes.subarray(at, at + body.length).equals(body)).toBe(true)
    })
    expect(bytes.length % 10_240).toBe(0)
  })

  it('gives the same bytes for the same members', () => {
    write(join(dir, 'b.tar'), members)
    write(join(dir, 'c.tar'), members)
    expect(readFileSync(join(dir, 'b.tar')).equals(readFileSync(join(dir, 'c.tar')))).toBe(true)
  })

  it('does not hold on to the bytes it was given', () => {
    const path = join(dir, 'reuse.tar')
    const writer = createTarWriter({ path })
    const bytes = Buffer.from('first')
    writer.addMember('a', bytes)
    bytes.write('other')
    writer.finish()
    expect(readAll(path)).toEqual([['a', Buffer.from('first').toString('hex')]])
  })

  it('reads back any names and contents', () => {
    const name = fc
      .array(fc.stringMatching(/^[a-zA-Z0-9 äß漢_.-]{1,40}$/), { minLength: 1, maxLength: 9 })
      .map((parts) => parts.join('/'))
      .filter((text) => !text.split('/').includes('..'))
    const list = fc.array(fc.tuple(name, fc.uint8Array({ maxLength: 1500 })), { maxLength: 12 })
    fc.assert(
      fc.property(list, (given) => {
        const path = join(dir, 'any.tar')
        write(path, given)
        expect(readAll(path)).toEqual(asHex(given))
      }),
      { numRuns: 60 },
    )
  })

  it.each(['', '/etc/passwd', '../up', 'a/../../b', 'nul\0', 'folder/'])('refuses the name %j', (name) => {
    const writer = createTarWriter({ path: join(dir, 'unsafe.tar') })
    expect(() => writer.addMember(name, Buffer.alloc(1))).toThrow(
      expect.objectContaining({ code: 'ERR_PATH_UNSAFE' }),
    )
    writer.abort()
    expect(() => statSync(join(dir, 'unsafe.tar'))).toThrow('ENOENT')
  })
})

describe('appending to a tar', () => {
  it('gives the same bytes as writing in one go, wherever the first run was cut', () => {
    const whole = join(dir, 'whole.tar')
    const small = members.slice(0, 7)
    const offsets = write(whole, small)
    const size = statSync(whole).size
    const part = join(dir, 'part.tar')
    for (let cut = 0; cut <= size; cut += 256) {
      writeFileSync(part, readFileSync(whole))
      truncateSync(part, cut)
      const writer = createTarWriter({ path: part, append: true })
      const expected = small.filter(([, body], i) => (offsets[i] ?? 0) + body.length <= cut).length
      expect(writer.kept.length, `cut at ${cut}`).toBe(expected)
      for (const [name, body] of small.slice(writer.kept.length)) writer.addMember(name, body)
      writer.finish()
      expect(readFileSync(part).equals(readFileSync(whole)), `cut at ${cut}`).toBe(true)
    }
  })
})

describe('damaged tars', () => {
  it('names the byte where a header is wrong', () => {
    const path = join(dir, 'damaged.tar')
    write(path, members)
    const bytes = readFileSync(path)
    bytes[2560 + 3] = 0x41
    writeFileSync(path, bytes)
    expect(() => readAll(path)).toThrow(/tar .*byte 2560: wrong checksum/)
  })

  it('never fails in another way than with an error of ours', () => {
    const path = join(dir, 'random.tar')
    write(path, members.slice(0, 7))
    const sound = readFileSync(path)
    const hits = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(hits, fc.nat(sound.length), (changes, length) => {
        const bytes = Buffer.from(sound.subarray(0, length))
        for (const [at, value] of changes) if (at < length) bytes[at] = value
        writeFileSync(path, bytes)
        try {
          readAll(path)
        } catch (error) {
          expect(isTrawlError(error) && error.code).toBe('ERR_PACK_DAMAGED')
        }
      }),
      { numRuns: 150 },
    )
  })
})

describeWith(['python3', 'tar'], 'tars seen by other programs', () => {
  it('are read whole by Python and GNU tar', () => {
    const path = join(dir, 'theirs.tar')
    write(path, members)
    const script =
      'import tarfile,sys,json\n' +
      't=tarfile.open(sys.argv[1])\n' +
      'print(json.dumps([[m.name,m.size,m.mode,m.mtime,m.uid,m.isfile()] for m in t.getmembers()]))\n'
    const listed: unknown = JSON.parse(execFileSync('python3', ['-c', script, path], { encoding: 'utf8' }))
    expect(listed).toEqual(members.map(([name, body]) => [name, body.length, 0o444, 0, 0, true]))
    const text = execFileSync('tar', ['-tf', path, '--quoting-style=literal'], { encoding: 'utf8' })
    expect(text.trimEnd().split('\n')).toEqual(members.map(([name]) => name))
  })

  it('are read when Python wrote them, in each of its formats', () => {
    const script =
      'import tarfile,sys,io\n' +
      'for f,n in ((tarfile.USTAR_FORMAT,"u"),(tarfile.GNU_FORMAT,"g"),(tarfile.PAX_FORMAT,"p")):\n' +
      '  t=tarfile.open(sys.argv[1]+n,"w",format=f)\n' +
      '  d=tarfile.TarInfo("dir"); d.type=tarfile.DIRTYPE; t.addfile(d)\n' +
      '  for name in ["a.txt"]+([] if n=="u" else ["x"*150+".txt"]):\n' +
      '    i=tarfile.TarInfo(name); i.size=3; i.mtime=1.5; t.addfile(i,io.BytesIO(b"abc"))\n' +
      '  t.close()\n'
    const base = join(dir, 'python-')
    execFileSync('python3', ['-c', script, base])
    const long = [`${'x'.repeat(150)}.txt`, '616263']
    expect(readAll(`${base}u`)).toEqual([['a.txt', '616263']])
    expect(readAll(`${base}g`)).toEqual([['a.txt', '616263'], long])
    expect(readAll(`${base}p`)).toEqual([['a.txt', '616263'], long])
  })
})
