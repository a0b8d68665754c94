import { describe, expect, it } from 'vitest'
import { optOut, optOutError } from '../../../src/datasets/manners/index.ts'
import { rowFailure } from '../../../src/datasets/samples/index.ts'

function directive(value: string | string[], token?: string): string | undefined {
  return optOut({ 'x-robots-tag': value }, token === undefined ? {} : { token })?.directive
}

describe('optOut', () => {
  it('heeds X-Robots-Tag as img2dataset does', () => {
    expect(directive('noai')).toBe('noai')
    expect(directive('all, NoImageAI')).toBe('noimageai')
    expect(directive('nofollow')).toBeUndefined()
    expect(directive('none')).toBe('none')
    expect(directive('otherbot: noai')).toBeUndefined()
    expect(directive('otherbot: noai, noindex', 'mybot')).toBeUndefined()
    expect(directive('MyBot: nofollow, noindex', 'mybot')).toBe('noindex')
    expect(directive(['nofollow', 'mybot: noai'], 'MyBot')).toBe('noai')
    expect(directive('otherbot: noai, mybot: noindex', 'mybot')).toBe('noindex')
    expect(directive('unavailable_after: 25 Jun 2030 15:00:00 PST, noai')).toBe('noai')
  })

  it('takes the directives that are given, also none at all', () => {
    expect(optOut({ 'x-robots-tag': 'nofollow' }, { disallowed: ['nofollow'] })?.directive).toBe('nofollow')
    expect(optOut({ 'x-robots-tag': 'noai, none' }, { disallowed: [] })).toBeUndefined()
  })

  it('heeds the TDM Reservation Protocol', () => {
    expect(optOut({ 'tdm-reservation': '1' })).toEqual({ header: 'tdm-reservation', directive: '1' })
    expect(optOut({ 'tdm-reservation': '0' })).toBeUndefined()
    expect(optOut({ 'tdm-reservation': '1' }, { tdm: false })).toBeUndefined()
    expect(optOut({})).toBeUndefined()
  })

  it('becomes a row code of its own', () => {
    const error = optOutError({ header: 'x-robots-tag', directive: 'noai' })
    expect(rowFailure(error)).toMatchObject({ code: 'opt_out', status: 'failed_to_download' })
  })
})
