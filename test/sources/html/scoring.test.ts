import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ImageCandidate } from '../../../src/sources/html/candidate.ts'
import { listsInScript } from '../../../src/sources/html/embedded-json.ts'
import { chooseSequence, chooseSingle, isDecoration, scoreGroups } from '../../../src/sources/html/scoring.ts'

function image(url: string, more: Partial<ImageCandidate> = {}): ImageCandidate {
  return {
    url: `https://example.org/${url}`,
    order: 0,
    kind: 'shown',
    path: 'body>div>img',
    aside: false,
    central: false,
    ...more,
  }
}

function page(...images: readonly ImageCandidate[]): readonly ImageCandidate[] {
  return images.map((one, order) => ({ ...one, order }))
}

const scores = (from: readonly ImageCandidate[]) => scoreGroups(from).map((group) => group.score)

const names = (candidates: readonly ImageCandidate[]) =>
  (chooseSequence(candidates)?.images ?? []).map((one) => one.url.slice('https://example.org/'.length))

describe('chooseSequence', () => {
  it('takes few large images before many small ones', () => {
    const small = Array.from({ length: 12 }, (_, i) =>
      image(`s${i}x.jpg`, { path: 'body>ul>li>img', widthPx: 150, heightPx: 100 }),
    )
    const large = ['a.jpg', 'b.jpg'].map((name) => image(name, { widthPx: 1200, heightPx: 1800 }))
    expect(names(page(...small, ...large))).toEqual(['a.jpg', 'b.jpg'])
  })

  it('takes what is linked before what is shown', () => {
    const shown = ['t1.jpg', 't2.jpg', 't3.jpg'].map((name) => image(name))
    const linked = ['f1.jpg', 'f2.jpg'].map((name) => image(name, { kind: 'linked', path: 'body>p>a' }))
    expect(names(page(...shown, ...linked))).toEqual(['f1.jpg', 'f2.jpg'])
  })

  it('takes what is shown among what is linked, in the same text', () => {
    const linked = (name: string) => image(name, { kind: 'linked', path: 'body>div.text>p>a' })
    const shown = (name: string) => image(name, { path: 'body>div.text>p>img' })
    const beside = image('ad.jpg', { path: 'body>div.text>aside>img', aside: true })
    expect(names(page(linked('1.jpg'), shown('2.jpg'), linked('3.jpg'), beside, shown('4.jpg')))).toEqual([
      '1.jpg',
      '2.jpg',
      '3.jpg',
      '4.jpg',
    ])
  })

  it('takes a long list in data before the one image that is shown, but not a short one', () => {
    const data = (count: number) =>
      Array.from({ length: count }, (_, i) => image(`d${i}.jpg`, { kind: 'data', path: 'script' }))
    expect(names(page(image('shown.jpg'), ...data(8)))).toHaveLength(8)
    const five = Array.from({ length: 5 }, (_, i) => image(`s${i}.jpg`))
    expect(names(page(...five, ...data(2)))).toEqual(['s0.jpg', 's1.jpg', 's2.jpg', 's3.jpg', 's4.jpg'])
  })

  it('takes the picture that the page names when it shows nothing', () => {
    expect(names(page(image('logo.png'), image('og.jpg', { kind: 'named', path: 'og:image' })))).toEqual([
      'og.jpg',
    ])
    expect(names(page(image('x.jpg'), image('og.jpg', { kind: 'named', path: 'og:image' })))).toEqual([
      'x.jpg',
    ])
  })

  it('takes the group of the page before when it is there', () => {
    const candidates = page(image('a1.jpg', { path: 'p>img' }), image('b1.jpg'), image('b2.jpg'))
    expect(chooseSequence(candidates, 'p>img')?.path).toBe('p>img')
    expect(chooseSequence(candidates, 'gone')?.path).toBe('body>div>img')
  })

  it('is deterministic, keeps the order of the page and gives each image once', () => {
    const candidate = fc
      .record({
        url: fc.constantFrom('a', 'b', 'c', 'd', 'logo').map((name) => `https://example.org/${name}.jpg`),
        kind: fc.constantFrom<ImageCandidate['kind'][]>('linked', 'shown', 'data', 'named'),
        path: fc.constantFrom('body>div>img', 'body>div>p>img', 'body>nav>img'),
        aside: fc.boolean(),
        central: fc.boolean(),
      })
      .map((one) => ({ ...one, order: 0 }))
    fc.assert(
      fc.property(fc.array(candidate, { maxLength: 12 }), fc.infiniteStream(fc.nat(100)), (list, numbers) => {
        const candidates = page(...list)
        const chosen = chooseSequence(candidates)
        const shuffled = candidates
          .map((one) => ({ one, at: numbers.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at)
          .map(({ one }) => one)
        // What is numbered depends on the order; nothing else may.
        if (scores(shuffled).join() === scores(candidates).join()) {
          expect(chooseSequence([...shuffled].sort((a, b) => a.order - b.order))).toEqual(chosen)
        }
        const orders = (chosen?.images ?? []).map((one) => one.order)
        expect(orders).toEqual([...orders].sort((a, b) => a - b))
        expect(new Set(chosen?.images.map((one) => one.url)).size).toBe(orders.length)
        expect(chosen === undefined).toBe(candidates.every(isDecoration))
      }),
      { numRuns: 300 },
    )
  })
})

describe('chooseSingle', () => {
  it('takes the image that the page is about, not the strip of thumbnails', () => {
    const strip = Array.from({ length: 9 }, (_, i) =>
      image(`s${i}.jpg`, { path: 'body>div.strip>a>img', leadsTo: `https://example.org/${i}` }),
    )
    expect(chooseSingle(page(...strip, image('main.jpg')))?.url).toBe('https://example.org/main.jpg')
  })
})

describe('isDecoration', () => {
  it.each([
    ['icon.png', {}, true],
    ['img/site-logo.png', {}, true],
    ['x.svg', {}, true],
    ['a.jpg', { widthPx: 1, heightPx: 1 }, true],
    ['a.jpg', { widthPx: 40 }, true],
    ['a.jpg', { widthPx: 728, heightPx: 90 }, true],
    ['strip.jpg', { widthPx: 800, heightPx: 12_000 }, false],
    ['logos-of-power/01.jpg', {}, false],
    ['iconography-of-saints.jpg', {}, false],
    ['a.jpg', {}, false],
  ])('%s %j: %s', (url, more, expected) => expect(isDecoration(image(url, more))).toBe(expected))
})

describe('listsInScript', () => {
  it.each([
    ['[{"url":"/1.jpg","thumb":"/t1.jpg"},{"url":"/2.jpg","thumb":"/t2.jpg"}]', ['/1.jpg', '/2.jpg']],
    ['{"a":{"files":["/1.jpg","/2.png"]},"names":["x","y"]}', ['/1.jpg', '/2.png']],
    ['{"state":"{\\"pages\\":[\\"/1.jpg\\",\\"/2.jpg\\"]}"}', ['/1.jpg', '/2.jpg']],
    [
      '[{"small":"/t1.jpg","original_url":"/o1.jpg"},{"small":"/t2.jpg","original_url":"/o2.jpg"}]',
      ['/o1.jpg', '/o2.jpg'],
    ],
    ['["/1.jpg", "words", "more words"]', undefined],
    ['{"one":["/1.jpg"]}', undefined],
    ['not json', undefined],
  ])('reads %s', (text, expected) => expect(listsInScript(text, true)[0]?.urls).toEqual(expected))

  it.each([
    ['window.__STATE__ = {"p": ["/1.jpg", "/2.jpg"]};', ['/1.jpg', '/2.jpg']],
    ['render({"p": ["/a]1.jpg", "/2.jpg"]})', ['/a]1.jpg', '/2.jpg']],
    ["x = ['a.jpg','b.jpg'];", ['a.jpg', 'b.jpg']],
    ['if (a = [1, 2) { } y = ["/1.jpg", "/2.jpg"]', ['/1.jpg', '/2.jpg']],
    ['f("=["); g({a: 1, b: ["/1.jpg", "/2.jpg"]})', undefined],
    ['x = [', undefined],
  ])('finds %s', (text, expected) => expect(listsInScript(text, false)[0]?.urls).toEqual(expected))
})
