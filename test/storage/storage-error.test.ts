import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TrawlError } from '../../src/core/index.ts'
import { errnoOf, storageError } from '../../src/storage/storage-error.ts'

const action = { path: 'out/a.bin', doing: 'write' }

function errno(code: string): Error {
  return Object.assign(new Error(`${code}: raw text, write`), { code })
}

describe('storageError', () => {
  it.each([
    ['ENOSPC', 'ERR_NO_SPACE', 'volume'],
    ['EDQUOT', 'ERR_NO_SPACE', 'volume'],
    ['EACCES', 'ERR_PERMISSION', 'volume'],
    ['EPERM', 'ERR_PERMISSION', 'volume'],
    ['EROFS', 'ERR_READ_ONLY', 'volume'],
    ['EISDIR', 'ERR_IS_DIRECTORY', 'task'],
    ['ENOTDIR', 'ERR_NOT_DIRECTORY', 'job'],
    ['EEXIST', 'ERR_EXISTS', 'task'],
    ['EMFILE', 'ERR_TOO_MANY_FILES', 'process'],
    ['ENFILE', 'ERR_TOO_MANY_FILES', 'process'],
    ['EFBIG', 'ERR_FILE_TOO_LARGE', 'task'],
    ['ENAMETOOLONG', 'ERR_NAME_TOO_LONG', 'task'],
    ['ELOOP', 'ERR_PATH_UNSAFE', 'task'],
    ['EIO', 'ERR_IO', 'task'],
    ['EWHATEVER', 'ERR_IO', 'task'],
  ])('tells %s as %s', (code, expected, scope) => {
    const cause = errno(code)
    const error = storageError(cause, action)
    expect(error.code).toBe(expected)
    expect(error.scope).toBe(scope)
    expect(error.message).toContain('cannot write out/a.bin')
    expect(error.message).toContain(code)
    expect(error.message).not.toContain('\n')
    expect(error.context).toMatchObject({ path: 'out/a.bin', errno: code })
    expect(error.cause).toBe(cause)
  })

  it('gives a TrawlError back untouched', () => {
    const error = new TrawlError('ERR_STALE_WRITE', 'old')
    expect(storageError(error, action)).toBe(error)
  })

  it('takes an abort for a cancellation', () => {
    expect(storageError(new DOMException('stop', 'AbortError'), action).code).toBe('ERR_CANCELLED')
    expect(storageError(errno('ABORT_ERR'), action).code).toBe('ERR_CANCELLED')
  })

  it('survives values that are not errors', () => {
    expect(storageError('odd', action).message).toBe('cannot write out/a.bin: odd')
    expect(storageError(undefined, action).code).toBe('ERR_IO')
  })

  it('reads what the system really throws', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'trawl-error-'))
    try {
      await writeFile(join(dir, 'file'), 'x')
      const codes = await Promise.all([
        readFile(dir).catch((error: unknown) => storageError(error, action).code),
        open(join(dir, 'file'), 'wx').catch((error: unknown) => storageError(error, action).code),
        open(join(dir, 'file', 'below'), 'w').catch((error: unknown) => storageError(error, action).code),
        open(join(dir, 'n'.repeat(300)), 'w').catch((error: unknown) => storageError(error, action).code),
      ])
      expect(codes).toEqual(['ERR_IS_DIRECTORY', 'ERR_EXISTS', 'ERR_NOT_DIRECTORY', 'ERR_NAME_TOO_LONG'])
      expect(errnoOf(await readFile(join(dir, 'none')).catch((error: unknown) => error))).toBe('ENOENT')
    } finally {
      await rm(dir, { recursive: true })
    }
  })
})
