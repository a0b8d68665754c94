import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseNetrc } from '../../../src/http/index.ts'

test('machines, defaults, one line or many, quotes, comments, macros', () => {
  const netrc = parseNetrc(`# mine
machine example.org login anna password "a b\\"c\\\\"
machine Other.example
  login otto   # a comment
  password #1pass
  account unused
macdef init
  cd /tmp
  machine evil login x password y

machine example.org login berta password second
default login anonymous password me@here
`)
  expect(netrc.find('example.org')).toEqual({ username: 'anna', password: 'a b"c\\' })
  expect(netrc.find('EXAMPLE.org', 'berta')).toEqual({ username: 'berta', password: 'second' })
  expect(netrc.find('other.example')).toEqual({ username: 'otto', password: '#1pass' })
  expect(netrc.find('evil')).toEqual({ username: 'anonymous', password: 'me@here' })
  expect(parseNetrc('').find('x')).toBeUndefined()
  expect(parseNetrc('machine a login x password y').find('b')).toBeUndefined()
})

test.each([
  ['login x', 1],
  ['machine a\n login x\n pasword y', 3],
  ['machine a login', 1],
])('%j cannot be read, and the line is told', (text, line) => {
  expect(() => parseNetrc(text, 'my.netrc')).toThrow(
    expect.objectContaining({ code: 'ERR_CONFIG_UNREADABLE', context: { file: 'my.netrc', line } }),
  )
})

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

test('any name and password survive, quoted', () => {
  const word = fc.string({ maxLength: 20 }).filter((text) => !/[\r\n]/.test(text))
  fc.assert(
    fc.property(word, word, (username, password) => {
      const netrc = parseNetrc(`machine h login ${quote(username)} password ${quote(password)}`)
      expect(netrc.find('h')).toEqual({ username, password })
    }),
  )
})
