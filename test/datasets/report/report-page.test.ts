import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { openShardPlan } from '../../../src/datasets/plan/index.ts'
import { writeReport } from '../../../src/datasets/report/index.ts'
import { describeWith, findProgram } from '../../programs.ts'
import { tempFolder } from '../temp-folder.ts'
import { makeShards, planCase, storm } from '../shards/dataset-case.ts'

/** What of playwright-core is used. */
interface Page {
  goto(url: string): Promise<unknown>
  evaluate<T>(script: string): Promise<T>
}
interface Context {
  newPage(): Promise<Page>
  close(): Promise<void>
}
interface Playwright {
  readonly chromium: {
    launchPersistentContext(folder: string, options: object): Promise<Context>
  }
}

const require = createRequire(import.meta.url)
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

async function open(url: string, width: number, colorScheme: string, body: (page: Page) => Promise<void>) {
  const { chromium } = require('playwright-core') as Playwright
  const context = await chromium.launchPersistentContext(tempFolder(), {
    executablePath: findProgram('chromium'),
    args: flags,
    viewport: { width, height: 800 },
    colorScheme,
    // The page allows no scripts; those of the test come from outside.
    bypassCSP: true,
  })
  try {
    const page = await context.newPage()
    await page.goto(url)
    await body(page)
  } finally {
    await context.close()
  }
}

describeWith(['chromium', 'npm:playwright-core', 'npm:axe-core'], 'the report in Chromium', () => {
  it('has no fault that axe finds, in light and dark, and no sideways scrolling at 360 px', async () => {
    const given = await planCase({})
    await makeShards(given, storm)
    const plan = openShardPlan(given.out, given.manifest)
    const { htmlPath } = await writeReport({
      out: given.out,
      plan,
      layout: given.layout,
      durability: 'none',
    })
    await plan.close()
    const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')
    for (const [width, scheme] of [
      [1280, 'light'],
      [360, 'dark'],
    ] as const) {
      await open(pathToFileURL(htmlPath).href, width, scheme, async (page) => {
        await page.evaluate('document.querySelectorAll("details").forEach((each) => (each.open = true))')
        await page.evaluate(axe)
        const faults = await page.evaluate<readonly string[]>(
          `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))`,
        )
        expect(faults).toEqual([])
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
      })
    }
  }, 60_000)
})
