import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { defaultUserAgent } from '../../src/http/index.ts'

test('the user agent tells the version of the package', () => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  expect(text).toContain(`"version": "${defaultUserAgent.replace('trawl/', '')}"`)
})
