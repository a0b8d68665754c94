import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { isTrawlError } from '../../../src/core/index.ts'
import { htmlSource, type SourceItem } from '../../../src/sources/index.ts'
import { recordedContext } from '../recorded-context.ts'

const url = 'https://pages.example.net/a/b.html'
const piece = fc.constantFrom(
  '<html>',
  '<head><base href="http://[">',
  '<base href="//cdn.example.net/x/">',
  '<title>Index of /a/</title>',
  '<a href="../">',
  '<a href="1.jpg">',
  '</a>',
  '<a rel="next" href="">',
  '<a rel=next href="b.html?p=2">',
  '<img src=1.jpg>',
  '<img data-src="http://:0/">',
  '<img srcset=", ,,a 1x,b,c 5w">',
  '<img src="javascript:1">',
  '<picture><source srcset>',
  '<div style="background:url(x.png)">',
  '<script>x=[[[{',
  '<script type="application/ld+json">{"image":[null,{"url":5},"/z.jpg"]}</script>',
  '<script>var a={"b":["/1.jpg","/2.jpg"]};</script>',
  '</script>',
  '<meta property="og:image" content>',
  '<nav><b>1</b><a href="?p=2">2</a>',
  '<noscript><img src=2.png></noscript>',
  '<!--',
  '-->',
  '\u0000',
)

it('a broken page gives items or an error of ours, never a crash, and only addresses of the web', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
      const text = `<html>${pieces.join('')}`
      const items: SourceItem[] = []
      try {
        const context = recordedContext({ [url]: text, 'https://pages.example.net/a/b.html?p=2': text })
        for await (const item of htmlSource.extract({ text: url }, context)) items.push(item)
        expect(items.length).toBeGreaterThan(0)
      } catch (error) {
        if (!isTrawlError(error)) throw error
        expect(['ERR_SOURCE_EMPTY', 'ERR_HTTP_NOT_FOUND']).toContain(error.code)
      }
      for (const item of items) {
        if (item.type !== 'page' || item.page.locator?.kind !== 'mirrors') continue
        expect(item.page.locator.places[0]?.url).toMatch(/^https?:\/\/[^/]/)
      }
    }),
    { numRuns: 400 },
  )
})
