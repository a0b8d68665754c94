import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { robotsPolicy, robotsPolicyOf } from '../../../src/http/index.ts'

const allows = (text: string, path: string, agent = 'trawl'): boolean =>
  robotsPolicy(text, agent).isAllowed(`https://example.org${path}`)

describe('robotsPolicy', () => {
  it('takes the group of the crawler, else that of all (RFC 9309, 2.2.1)', () => {
    const text = 'User-agent: *\nDisallow: /\n\nuser-agent: TRAWL\nUser-Agent: other\nDisallow: /private\n'
    expect(allows(text, '/a.jpg')).toBe(true)
    expect(allows(text, '/private/a.jpg')).toBe(false)
    expect(allows(text, '/a.jpg', 'someone')).toBe(false)
    expect(allows(text, '/a.jpg', 'trawl/1.0 (+https://example.org)')).toBe(true)
  })

  it('lets the longest match win, and an allow before a disallow (2.2.2)', () => {
    const text = 'User-agent: *\nDisallow: /images\nAllow: /images/open\nAllow: /same\nDisallow: /same\n'
    expect(allows(text, '/images/a.jpg')).toBe(false)
    expect(allows(text, '/images/open/a.jpg')).toBe(true)
    expect(allows(text, '/same/a.jpg')).toBe(true)
  })

  it('knows wildcards and ends (2.2.3)', () => {
    const text = 'User-agent: *\nDisallow: /*.gif$\nDisallow: /tmp*/x\n# comment\nDisallow: /q?a=*b # more\n'
    expect(allows(text, '/a/b.gif')).toBe(false)
    expect(allows(text, '/a/b.gif?x')).toBe(true)
    expect(allows(text, '/tmp9/x')).toBe(false)
    expect(allows(text, '/q?a=1b')).toBe(false)
  })

  it('compares encoded and plain characters as the RFC says', () => {
    const text = 'User-agent: *\nDisallow: /foo/bar/%62%61%7A\nDisallow: /ツ\nDisallow: /a%2Fb\n'
    expect(allows(text, '/foo/bar/baz')).toBe(false)
    expect(allows(text, '/foo/bar/%62%61%7a')).toBe(false)
    expect(allows(text, '/%E3%83%84')).toBe(false)
    expect(allows(text, '/a/b')).toBe(true)
    expect(allows(text, '/a%2fb')).toBe(false)
  })

  it('gives the crawl delay, and always allows robots.txt', () => {
    const policy = robotsPolicy('\ufeffUser-agent: *\nCrawl-delay: 2.5\nDisallow: /\n', 'trawl')
    expect(policy.crawlDelayMs).toBe(2500)
    expect(policy.isAllowed('https://example.org/robots.txt')).toBe(true)
    expect(policy.isAllowed('https://example.org/')).toBe(false)
    expect(robotsPolicy('User-agent: *\nCrawl-delay: soon', 'trawl').crawlDelayMs).toBeUndefined()
  })

  it('allows everything where there are no rules, and bears any text', () => {
    expect(allows('', '/a')).toBe(true)
    expect(allows('<!doctype html><p>Not here</p>', '/a')).toBe(true)
    fc.assert(
      fc.property(fc.string(), fc.webUrl(), (text, url) => {
        expect(typeof robotsPolicy(text, 'trawl').isAllowed(url)).toBe('boolean')
      }),
    )
  })
})

describe('robotsPolicyOf', () => {
  it('follows RFC 9309, 2.3.1', () => {
    const text = 'User-agent: *\nDisallow: /private'
    const url = 'https://example.org/private'
    expect(robotsPolicyOf({ status: 200, text }, 'trawl').isAllowed(url)).toBe(false)
    expect(robotsPolicyOf({ status: 404, text }, 'trawl').isAllowed(url)).toBe(true)
    expect(robotsPolicyOf({ status: 503, text: '' }, 'trawl').isAllowed('https://example.org/')).toBe(false)
    expect(robotsPolicyOf({ unreachable: true }, 'trawl').isAllowed('https://example.org/')).toBe(false)
    expect(robotsPolicyOf({ unreachable: true }, 'trawl').isAllowed('https://example.org/robots.txt')).toBe(
      true,
    )
  })
})
